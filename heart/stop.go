package heart

import (
	"context"
	"time"

	"aorta/heart/docker"
	"aorta/pacemaker/cluster"
)

// drainTimeout bounds the shipping of an ended process's last lines before its
// container goes. What is left then is held by this process alone.
const drainTimeout = 30 * time.Second

// terminate sends the signal that the image names, SIGTERM where it names none.
func (r *runner) terminate(ctx context.Context, c docker.Container) time.Duration {
	if err := r.h.engine.Signal(ctx, r.id, c.StopSignal); err != nil {
		return r.unknown(ctx, err)
	}
	r.update(func(rec *record) {
		rec.TermAt = time.Now()
		if rec.StopAsked && rec.State.CanBecome(cluster.InstanceDraining) {
			rec.State = cluster.InstanceDraining
		}
	})
	return 0
}

func (r *runner) kill(ctx context.Context) time.Duration {
	if err := r.h.engine.Signal(ctx, r.id, "SIGKILL"); err != nil {
		return r.unknown(ctx, err)
	}
	return 100 * time.Millisecond // usually cut short by the engine's event
}

// remove ships the rest of the output and removes the container. Lines that
// can't be shipped within drainTimeout are shipped later, and lost if this
// process ends before that.
func (r *runner) remove(ctx context.Context) time.Duration {
	if rec := r.record(); rec.StopAsked && rec.State.CanBecome(cluster.InstanceStopped) {
		r.update(func(rec *record) { rec.State, rec.Crashing = cluster.InstanceStopped, false })
	}
	short, cancel := context.WithTimeout(ctx, drainTimeout)
	err := r.h.shipper.Drain(short, r.id)
	cancel()
	if ctx.Err() != nil {
		return retryUnknown
	}
	if err != nil {
		r.h.log.Warn("the last lines of an instance wait for the log store in this process alone", "instance", r.id, "err", err)
	}
	if err := r.h.engine.Remove(ctx, r.id); err != nil {
		return r.unknown(ctx, err)
	}
	r.gone()
	return 0
}

// discard removes the container, so that another one is made.
func (r *runner) discard(ctx context.Context) time.Duration {
	if err := r.h.engine.Remove(ctx, r.id); err != nil {
		return r.unknown(ctx, err)
	}
	r.update(func(rec *record) { rec.Remake, rec.TermAt = false, time.Time{} })
	return 0
}

// gone records that nothing of the instance is left on this node.
func (r *runner) gone() {
	if err := r.h.ports.releaseInstance(r.id, time.Now()); err != nil {
		r.h.log.Error("could not write the ledger of ports", "instance", r.id, "err", err)
	}
	if err := r.h.guard.Release(string(r.id)); err != nil {
		r.h.log.Error("could not let go of an instance that is gone", "instance", r.id, "err", err)
	}
	r.h.shipper.Forget(r.id)
	r.update(func(rec *record) {
		rec.Gone, rec.Crashing = true, false
		rec.Spec.Env = nil // its secrets are not needed any more
		if !rec.State.Ended() {
			rec.State = cluster.InstanceStopped
		}
	})
}
