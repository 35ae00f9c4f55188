package heart

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aorta/heart/docker"
	"aorta/internal/duration"
	"aorta/pacemaker/cluster"
)

const (
	tailLines = 20
	sigkilled = 128 + 9
	// The engine reports an out-of-memory kill by an event that may come this
	// much later than the process's end.
	oomEventTimeout = 3 * time.Second
)

// ended handles a process that ended by itself. After SIGKILL it first waits
// for the event that says whether the kernel ran out of the memory limit.
func (r *runner) ended(ctx context.Context, rec record, c *docker.Container, do action) time.Duration {
	if c != nil && c.ExitCode == sigkilled && !c.OOM && !r.oomKilled.Load() {
		if r.sigkillSeen.IsZero() {
			r.sigkillSeen = time.Now()
		}
		if left := oomEventTimeout - time.Since(r.sigkillSeen); left > 0 {
			return left
		}
	}
	if c != nil {
		c.OOM = c.OOM || c.ExitCode == sigkilled && r.oomKilled.Load()
	}
	taken, err := r.takenDown(ctx, rec, c)
	switch {
	case err != nil:
		return r.unknown(ctx, err)
	case taken != "" && do == actionFail:
		if wait := r.askLeave(ctx, rec); wait > 0 {
			return wait
		}
		return r.start(ctx, rec)
	case taken != "":
		r.update(func(rec *record) { rec.takeDown(taken, time.Now()) })
		r.h.shipper.AddSystemLine(r.target(rec), taken+"; starting it again")
	case do == actionFail:
		r.fail(ctx, r.exitCause(ctx, rec, *c))
	default:
		r.crashed(rec, *c)
	}
	return 0
}

// takenDown says what ended a process that did not end by itself, and nothing where
// it did.
func (r *runner) takenDown(ctx context.Context, rec record, c *docker.Container) (string, error) {
	if c == nil {
		return cluster.ContainerGone, nil
	}
	if cause := r.endedFor(rec, *c); cause != "" {
		return cause, nil
	}
	session, err := r.h.engine.Session(ctx)
	if err != nil || session == rec.Session || session == "" || rec.Session == "" {
		return "", err
	}
	return cluster.EngineRestarted, nil
}

// fail marks an instance that was never healthy as failed; the next step
// removes its container.
func (r *runner) fail(ctx context.Context, cause string) {
	tail, err := r.h.engine.Tail(ctx, r.id, tailLines)
	if err != nil && !errors.Is(err, docker.ErrNoContainer) {
		r.h.log.Warn("could not read the last lines of a failed instance", "instance", r.id, "err", err)
	}
	r.update(func(rec *record) { rec.State, rec.Error, rec.Tail = cluster.InstanceFailed, cause, tail })
	r.h.shipper.AddSystemLine(r.target(r.record()), "failed: "+cause)
}

// crashed records that a healthy process ended, and plans its restart.
func (r *runner) crashed(rec record, c docker.Container) {
	cause := exitText(rec.Spec, c)
	r.update(func(rec *record) {
		planRestart(rec, time.Now())
		rec.Crashing, rec.TakenDown, rec.Error, rec.HealthySince = true, false, cause, time.Time{}
	})
	again := time.Until(r.record().NextStart).Round(time.Second)
	r.h.shipper.AddSystemLine(r.target(rec), fmt.Sprintf("%s; restarting in %s", cause, duration.Text(again)))
}
