package heart

import (
	"context"
	"time"

	"aorta/pacemaker/cluster"
)

// leavePause is the time between two tries to ask whether an instance may run.
const leavePause = 2 * time.Second

// askLeave keeps what is exclusive from being started by its record alone, as after a
// reboot: another one may run elsewhere by now. The pacemaker has a spec for what may
// run. Once this process has had that, or has seen it run, a crash asks nobody, unless the
// pacemaker was not reached meanwhile by what is to stop then. It gives the time until the
// next try, and 0 for leave.
func (r *runner) askLeave(ctx context.Context, rec record) time.Duration {
	if !rec.Spec.Exclusive || r.leave.Load() && !r.guarding.cutOff {
		return 0
	}
	if rec.Spec.StopWhenCutOff && r.h.guard.CutOff() {
		r.setLacks("it is to stop when it is cut off: " + r.h.cutOffFor())
		return leavePause
	}
	bounded, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := r.h.pace.Spec(bounded, r.id)
	switch {
	case err == nil:
		r.leave.Store(true)
		r.guarding.cutOff = false
		r.setLacks("")
		return 0
	case cluster.CodeOf(err) == cluster.CodeNotFound: // a report's answer has it stopped
		r.setLacks("it is exclusive, and not wanted here any more")
	default:
		r.setLacks("it is exclusive, and waits for the pacemaker to say that it may run: " + err.Error())
	}
	return leavePause
}
