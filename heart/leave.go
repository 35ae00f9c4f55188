package heart

import (
	"context"
	"sync/atomic"
	"time"

	"aorta/pacemaker/cluster"
)

// leavePause is the time between two tries to ask whether an instance may run.
const leavePause = 2 * time.Second

// leave is whether a runner's instance may run, and since when.
type leave struct {
	given atomic.Uint64 // after how many lapses, and one; 0: it was not
}

// give notes leave that was asked for after so many lapses.
func (l *leave) give(lapses uint64) { l.given.Store(lapses + 1) }

// mayRun says that the instance has leave. That of what is to stop when it is cut off ends
// with the contact: another one may have its place since, whether this runner had a turn
// meanwhile or not.
func (r *runner) mayRun(s cluster.InstanceSpec) bool {
	given := r.leave.given.Load()
	return !s.Exclusive || given > 0 && (!s.StopWhenCutOff || r.h.guard.Unbroken(given-1))
}

// askLeave keeps what is exclusive from being started by its record alone, as after a
// reboot: another one may run elsewhere by now. The pacemaker has a spec for what may
// run. Once this process has had that, or has seen it run, a crash asks nobody, unless the
// pacemaker was not reached meanwhile by what is to stop then. It gives the time until the
// next try, and 0 for leave.
func (r *runner) askLeave(ctx context.Context, rec record) time.Duration {
	if r.mayRun(rec.Spec) {
		return 0
	}
	if rec.Spec.StopWhenCutOff && r.h.guard.CutOff() {
		r.setLacks("it is to stop when it is cut off: " + r.h.cutOffFor())
		return leavePause
	}
	switch err := r.demandLeave(ctx); {
	case err == nil && r.mayRun(rec.Spec):
		r.setLacks("")
		return 0
	case err == nil: // the pacemaker was not reached for too long meanwhile
	case cluster.CodeOf(err) == cluster.CodeNotFound: // a report's answer has it stopped
		r.setLacks("it is exclusive, and not wanted here any more")
	default:
		r.setLacks("it is exclusive, and waits for the pacemaker to say that it may run: " + err.Error())
	}
	return leavePause
}

// demandLeave asks once. It is not_found for what is not wanted here.
func (r *runner) demandLeave(ctx context.Context) error {
	timeout := r.h.reportTimeout()
	if left := r.h.guard.Left(); left > 0 {
		timeout = min(timeout, left) // something may have to stop then
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	lapses := r.h.guard.Lapses() // before it is asked: the answer may be read late
	if _, err := r.h.pace.Spec(bounded, r.id); err != nil {
		return err
	}
	r.leave.give(lapses)
	return nil
}
