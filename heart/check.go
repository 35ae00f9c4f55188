package heart

import (
	"context"
	"errors"
	"time"

	"aorta/heart/docker"
	"aorta/pacemaker/cluster"
)

// A healthy instance counts as crashing after so many failed checks in a row.
const missesLimit = 3

// check runs the health check when it is due.
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
		r.healthy()
	} else {
		r.lastCheck = err
		r.unhealthy(ctx, rec, c)
	}
	wait := r.checkPause(r.record(), err == nil)
	r.nextCheck = time.Now().Add(wait)
	return wait
}

// checkPause is the time until the next check; short while a start or a
// recovery waits for it.
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

func (r *runner) healthy() {
	r.misses = 0
	rec := r.record()
	if !rec.Healthy || rec.Crashing {
		r.update(func(rec *record) {
			rec.State, rec.Healthy, rec.Crashing, rec.Error = cluster.InstanceRunning, true, false, ""
			rec.HealthySince, rec.NextStart, rec.TakenDown = time.Now(), time.Time{}, false
		})
	}
}

func (r *runner) unhealthy(ctx context.Context, rec record, c docker.Container) {
	if !rec.Healthy {
		r.starting(ctx, c, rec.Spec.Health.OrDefault().StartTimeout)
		return
	}
	r.misses++
	if errors.Is(r.lastCheck, errCutOff) && r.misses >= missesLimit {
		r.update(func(rec *record) { rec.takeDown(cluster.CutOff, time.Now()); rec.Remake = true })
		r.h.shipper.AddSystemLine(r.target(rec), cluster.CutOff+"; another one takes its place")
		return
	}
	late := rec.TakenDown && time.Since(r.firstSeen) >= rec.Spec.Health.OrDefault().StartTimeout
	if r.misses >= missesLimit && (!rec.Crashing || late) {
		r.update(func(rec *record) {
			rec.Crashing, rec.TakenDown, rec.HealthySince = true, false, time.Time{}
			rec.Error = "its health check fails: " + r.lastCheck.Error()
		})
	}
}
