package heart

import (
	"context"
	"errors"
	"time"

	"aorta/heart/docker"
)

const (
	// lookInterval is how often it is looked where a starting process listens.
	lookInterval = time.Second
	// quietStart is how long nobody is told what a start waits for: most need less.
	quietStart = 5 * time.Second
)

// starting watches a process that is not healthy yet, after a check that failed: it
// tells what the start waits for, and ends one that took its time or is known to
// come to nothing.
func (r *runner) starting(ctx context.Context, c docker.Container, limit time.Duration) {
	now := time.Now()
	took := now.Sub(r.firstSeen)
	if took >= limit {
		r.fail(ctx, r.unhealthyCause(c, limit, now))
		return
	}
	if now.Before(r.nextLook) {
		return
	}
	r.nextLook = now.Add(lookInterval)
	if !errors.Is(r.lastCheck, errNotListening) {
		r.misplaced = misplaced{}
		if took >= quietStart {
			r.setLacks("waiting for its health check: " + r.lastCheck.Error())
		}
		return
	}
	found, err := listenersOf(c.Pid)
	if err != nil {
		return // told, with the cause, once its time is up
	}
	p, at := judge(found)
	if r.misplaced.see(p, at, limit, r.cores(), now) {
		r.fail(ctx, listenCause(found, limit))
		return
	}
	if p == elsewhere || r.misplaced.isRefused(p, at, now) || took >= quietStart {
		r.setLacks(r.misplaced.describe(p, at, now))
	}
}

// setLacks notes what a start waits for, for those who observe it.
func (r *runner) setLacks(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lacks != text {
		r.lacks = text
		r.changed.Notify()
	}
}

// cores is what the instance uses of the processor; nil: not known.
func (r *runner) cores() *float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cpu
}
