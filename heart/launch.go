package heart

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aorta/heart/docker"
	"aorta/heart/images"
	"aorta/pacemaker/cluster"
)

// prepare fetches the image if it is missing and creates the container.
func (r *runner) prepare(ctx context.Context, rec record) time.Duration {
	if err := r.h.ports.claim(rec.Spec.Port, r.id, time.Now()); err != nil {
		return r.failStart(ctx, rec, fmt.Errorf("its port can't be used: %w", err))
	}
	if wait, ok := r.provide(ctx, rec); !ok {
		return wait
	}
	if rec.State.CanBecome(cluster.InstanceStarting) {
		r.update(func(rec *record) { rec.State, rec.ImageGone = cluster.InstanceStarting, false })
	}
	// Not interruptible: the engine may create the container after the call was
	// cancelled, when nothing here removes it any more.
	_, err := r.h.engine.Create(ctx, docker.Launch{Spec: rec.Spec, Address: r.h.address})
	if err != nil {
		return r.failStart(ctx, rec, fmt.Errorf("create its container: %w", err))
	}
	return 0
}

// provide gets the image onto the engine; ok is false when it is not there yet.
func (r *runner) provide(ctx context.Context, rec record) (time.Duration, bool) {
	here, err := r.h.engine.Has(ctx, rec.Spec.Image)
	if err == nil && here && rec.Spec.Image.Pushed != "" {
		err = r.h.cfg.Images.Settle(ctx, wantedBy(rec.Spec))
	}
	if err != nil {
		return r.unknown(ctx, err), false
	}
	if here {
		return 0, true
	}
	if rec.State.CanBecome(cluster.InstancePulling) {
		r.update(func(rec *record) { rec.State = cluster.InstancePulling })
	}
	if rec.Spec.Image.Pushed == "" {
		return r.awaitImage(ctx, rec, nil), false
	}
	return r.pull(ctx, rec)
}

func wantedBy(s cluster.InstanceSpec) images.Wanted {
	return images.Wanted{App: s.AppID, Build: s.Build, Image: s.Image}
}

// pull fetches the image from the cluster's registry.
func (r *runner) pull(ctx context.Context, rec record) (time.Duration, bool) {
	pulling, cancel := r.interruptible(ctx)
	defer cancel()
	err := r.h.cfg.Images.Pull(pulling, wantedBy(rec.Spec), r.setLacks)
	r.setLacks("")
	switch {
	case err == nil:
		return 0, true
	case pulling.Err() != nil:
		return 0, false // its stop is asked for, or the heart ends
	case cluster.CodeOf(err) == cluster.CodeNotFound:
		return r.awaitImage(ctx, rec, err), false
	}
	return r.failStart(ctx, rec, fmt.Errorf("its image is missing: %w", err)), false
}

// start runs the container's process, for the first time or again.
func (r *runner) start(ctx context.Context, rec record) time.Duration {
	again := rec.Healthy
	if err := r.h.ports.claim(rec.Spec.Port, r.id, time.Now()); err != nil {
		return r.failStart(ctx, rec, fmt.Errorf("its port can't be used: %w", err))
	}
	session, err := r.h.engine.Session(ctx)
	if err != nil {
		return r.failStart(ctx, rec, err)
	}
	// Recorded before the start, so that one that is interrupted counts too.
	r.update(func(rec *record) {
		now := time.Now()
		rec.Starts = append(recent(rec.Starts, now), now)
		rec.NextStart, rec.Session = time.Time{}, session
		if again && !rec.TakenDown {
			rec.Restarts++
		}
	})
	r.oomKilled.Store(false)
	if err := r.h.guard.Starts(string(r.id)); err != nil {
		return r.failStart(ctx, rec, err)
	}
	if err := r.h.engine.Start(ctx, r.id); err != nil {
		return r.failStart(ctx, rec, fmt.Errorf("start its process: %w", err))
	}
	return 0
}

// failStart handles an error between the image and a running process. An
// instance that was never healthy fails; one that was is restarted by the
// policy. When the engine does not answer, neither: the call is repeated.
func (r *runner) failStart(ctx context.Context, rec record, err error) time.Duration {
	switch {
	case ctx.Err() != nil:
		return retryUnknown
	case cluster.CodeOf(err) == cluster.CodeUnavailable && !errors.Is(err, docker.ErrNoSpace):
		return r.unknown(ctx, err)
	case !rec.Healthy && portTrouble(err) && r.portTries < portTriesLimit:
		return r.changePort(ctx, rec, err)
	case rec.Healthy:
		r.update(func(rec *record) {
			rec.Crashing, rec.Error = true, rec.startError(err)
			planRestart(rec, time.Now())
		})
	default:
		r.fail(ctx, err.Error())
	}
	return 0
}
