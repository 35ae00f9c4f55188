package heart

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aorta/heart/docker"
	"aorta/pacemaker/cluster"
)

const (
	tailLines   = 20
	pullTries   = 3
	drainLimit  = 30 * time.Second // for the last lines of an ended process
	memoryEvery = 10 * time.Second
	missesLimit = 3
	sigkilled   = 128 + 9
	// How long the engine's word of an out-of-memory kill may come after the end.
	starvedLimit = 3 * time.Second
	// A process type without a port is healthy when it has lived so long.
	settleTime = time.Second
)

// provide brings the image and makes the container.
func (r *runner) provide(ctx context.Context, rec record) time.Duration {
	ctx, cancel := r.interruptible(ctx)
	defer cancel()
	if err := r.h.ports.claim(rec.Spec.Port, r.id, time.Now()); err != nil {
		return r.setback(ctx, rec, fmt.Errorf("its port can't be used: %w", err))
	}
	here, err := r.h.engine.Has(ctx, rec.Spec.Image)
	if err != nil {
		return r.unknown(ctx, err)
	}
	if !here {
		if wait, ok := r.pull(ctx, rec); !ok {
			return wait
		}
	}
	if rec.State.CanBecome(cluster.InstanceStarting) {
		r.update(func(rec *record) { rec.State = cluster.InstanceStarting })
	}
	_, err = r.h.engine.Create(ctx, docker.Launch{Spec: rec.Spec, Address: r.h.address})
	if err != nil {
		return r.setback(ctx, rec, fmt.Errorf("create its container: %w", err))
	}
	return 0
}

// pull fetches the image; ok says that it is here.
func (r *runner) pull(ctx context.Context, rec record) (time.Duration, bool) {
	if rec.State.CanBecome(cluster.InstancePulling) {
		r.update(func(rec *record) { rec.State = cluster.InstancePulling })
	}
	err := r.h.engine.Provide(ctx, rec.Spec.Image, func(string) {})
	if err == nil {
		return 0, true
	}
	if r.pulls++; r.pulls < pullTries && !errors.Is(err, docker.ErrNoImage) {
		r.h.log.Warn("pulling an image failed; trying again", "instance", r.id, "image", rec.Spec.Image.Ref, "err", err)
		return time.Duration(r.pulls) * time.Second, false
	}
	return r.setback(ctx, rec, fmt.Errorf("its image is missing: %w", err)), false
}

// start runs the container's process, for the first time or again.
func (r *runner) start(ctx context.Context, rec record) time.Duration {
	again := rec.Healthy
	if err := r.h.ports.claim(rec.Spec.Port, r.id, time.Now()); err != nil {
		return r.setback(ctx, rec, fmt.Errorf("its port can't be used: %w", err))
	}
	// Noted before: a start that is cut off counts too.
	r.update(func(rec *record) {
		now := time.Now()
		rec.Starts = append(recent(rec.Starts, now), now)
		rec.NextStart = time.Time{}
		if again {
			rec.Restarts++
		}
	})
	r.starved.Store(false)
	if err := r.h.engine.Start(ctx, r.id); err != nil {
		return r.setback(ctx, rec, fmt.Errorf("start its process: %w", err))
	}
	r.follow(rec)
	return 0
}

// setback is an error of the engine on the way to a running process. Before it
// was healthy once, the instance fails; after, it is tried again by the policy.
// A silent engine is neither: it is asked again.
func (r *runner) setback(ctx context.Context, rec record, err error) time.Duration {
	switch {
	case ctx.Err() != nil:
		return retryUnknown
	case cluster.CodeOf(err) == cluster.CodeUnavailable && !errors.Is(err, docker.ErrNoSpace):
		return r.unknown(ctx, err)
	case !rec.Healthy && portTrouble(err) && r.portTries < portTriesLimit:
		return r.changePort(ctx, rec, err)
	case rec.Healthy:
		r.update(func(rec *record) {
			rec.Crashing, rec.Error = true, err.Error()
			planRestart(rec, time.Now())
		})
	default:
		r.fail(ctx, err.Error())
	}
	return 0
}

// check asks the process whether it is healthy, when that is due.
func (r *runner) check(ctx context.Context, rec record, c docker.Container) time.Duration {
	now := time.Now()
	if now.Before(r.nextCheck) {
		return r.nextCheck.Sub(now)
	}
	work, cancel := r.interruptible(ctx)
	err := r.checkHealth(work, rec.Spec, c)
	cancel()
	if r.record().StopAsked || ctx.Err() != nil {
		return 0
	}
	if err == nil {
		r.healthy(ctx)
	} else {
		r.lastCheck = err
		r.unhealthy(ctx, rec, c)
	}
	wait := r.checkPause(r.record(), err == nil)
	r.nextCheck = time.Now().Add(wait)
	return wait
}

// checkPause is short while somebody waits for the answer.
func (r *runner) checkPause(rec record, healthy bool) time.Duration {
	interval := rec.Spec.Health.OrDefault().Interval
	switch {
	case healthy:
		return interval
	case rec.Healthy:
		return min(interval, time.Second)
	case time.Since(r.firstSeen) < 5*time.Second:
		return 50 * time.Millisecond
	}
	return 250 * time.Millisecond
}

func (r *runner) healthy(ctx context.Context) {
	r.misses = 0
	rec := r.record()
	if !rec.Healthy || rec.Crashing {
		r.update(func(rec *record) {
			rec.State, rec.Healthy, rec.Crashing, rec.Error = cluster.InstanceRunning, true, false, ""
			rec.HealthySince, rec.NextStart = time.Now(), time.Time{}
		})
	}
	if time.Now().Before(r.nextMemory) {
		return
	}
	r.nextMemory = time.Now().Add(memoryEvery)
	if used, err := r.h.engine.Memory(ctx, r.id); err == nil {
		r.mu.Lock()
		r.memory = used
		r.mu.Unlock()
	}
}

func (r *runner) unhealthy(ctx context.Context, rec record, c docker.Container) {
	if !rec.Healthy {
		limit := rec.Spec.Health.OrDefault().StartTimeout
		if time.Since(r.firstSeen) >= limit {
			r.fail(ctx, r.silenceCause(rec, c, limit))
		}
		return
	}
	r.misses++
	if r.misses == missesLimit && !rec.Crashing {
		r.update(func(rec *record) {
			rec.Crashing, rec.HealthySince = true, time.Time{}
			rec.Error = "its health check fails: " + r.lastCheck.Error()
		})
	}
}

// ended deals with a process that ended by itself.
func (r *runner) ended(ctx context.Context, rec record, c *docker.Container, d deed) time.Duration {
	if c != nil && c.ExitCode == sigkilled && !c.OOM && !r.starved.Load() {
		if r.doubted.IsZero() {
			r.doubted = time.Now()
		}
		if left := starvedLimit - time.Since(r.doubted); left > 0 {
			return left
		}
	}
	if c != nil {
		c.OOM = c.OOM || c.ExitCode == sigkilled && r.starved.Load()
	}
	if d == deedFail {
		r.fail(ctx, r.exitCause(ctx, rec, *c))
	} else {
		r.crashed(rec, c)
	}
	return 0
}

// fail ends an instance that was never healthy; what is left is cleared next.
func (r *runner) fail(ctx context.Context, cause string) {
	tail, err := r.h.engine.Tail(ctx, r.id, tailLines)
	if err != nil && !errors.Is(err, docker.ErrNoContainer) {
		r.h.log.Warn("the last lines of a failed instance could not be read", "instance", r.id, "err", err)
	}
	r.update(func(rec *record) { rec.State, rec.Error, rec.Tail = cluster.InstanceFailed, cause, tail })
	r.h.shipper.Say(r.target(r.record()), "failed: "+cause)
}

// crashed notes the end of a process that had been healthy.
func (r *runner) crashed(rec record, c *docker.Container) {
	cause := "its container is gone"
	if c != nil {
		cause = exitText(rec.Spec, *c)
	}
	r.update(func(rec *record) {
		planRestart(rec, time.Now())
		rec.Crashing, rec.Error, rec.HealthySince = true, cause, time.Time{}
	})
	again := time.Until(r.record().NextStart).Round(time.Second)
	r.h.shipper.Say(r.target(rec), fmt.Sprintf("%s; it is started again in %s", cause, again))
}

func (r *runner) terminate(ctx context.Context, rec record) time.Duration {
	if err := r.h.engine.Signal(ctx, r.id, "SIGTERM"); err != nil {
		return r.unknown(ctx, err)
	}
	r.update(func(rec *record) {
		rec.TermAt = time.Now()
		if rec.State.CanBecome(cluster.InstanceDraining) {
			rec.State = cluster.InstanceDraining
		}
	})
	return 0
}

func (r *runner) kill(ctx context.Context) time.Duration {
	if err := r.h.engine.Signal(ctx, r.id, "SIGKILL"); err != nil {
		return r.unknown(ctx, err)
	}
	return 100 * time.Millisecond // the engine's event comes first
}

// clear ships what is left of the output and removes the container. When the
// lines can't be shipped in time, they go with it.
func (r *runner) clear(ctx context.Context) time.Duration {
	if rec := r.record(); rec.StopAsked && rec.State.CanBecome(cluster.InstanceStopped) {
		r.update(func(rec *record) { rec.State, rec.Crashing = cluster.InstanceStopped, false })
	}
	short, cancel := context.WithTimeout(ctx, drainLimit)
	err := r.h.shipper.Drain(short, r.id)
	cancel()
	if ctx.Err() != nil {
		return retryUnknown
	}
	if err != nil {
		r.h.log.Warn("the last lines of an instance are lost", "instance", r.id, "err", err)
	}
	if err := r.h.engine.Remove(ctx, r.id); err != nil {
		return r.unknown(ctx, err)
	}
	r.gone()
	return 0
}

// gone notes that nothing of the instance is left here.
func (r *runner) gone() {
	if err := r.h.ports.release(r.record().Spec.Port, r.id, time.Now()); err != nil {
		r.h.log.Error("the ledger of ports could not be written", "instance", r.id, "err", err)
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
