package redisq

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	firstPause = 20 * time.Millisecond
	maxPause   = time.Second
)

// backoff spaces the attempts to reach a Redis that does not answer.
type backoff struct{ next time.Duration }

func newBackoff() *backoff { return &backoff{next: firstPause} }

func (b *backoff) reset() { b.next = firstPause }

// pause waits, twice as long each time, spread over the upper half. It returns
// at once when ctx ends.
func (b *backoff) pause(ctx context.Context) {
	t := time.NewTimer(jitter(b.next))
	defer t.Stop()
	b.next = min(2*b.next, maxPause)
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// persist repeats fn until it succeeds or ctx ends; fn must be idempotent. The
// first failure is logged as the worker's failure to do what, because it may go
// on for long; the last one is returned.
func (w *Worker) persist(ctx context.Context, what string, fn func(context.Context) error) error {
	wait := newBackoff()
	for first := true; ; first = false {
		err := fn(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if first {
			w.opt.Log.Warn("a worker could not "+what+"; it keeps trying", "queue", w.opt.Queue.Owner, "error", err)
		}
		wait.pause(ctx)
	}
}

// jitter is between half of d and d.
func jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d/2+1)
}
