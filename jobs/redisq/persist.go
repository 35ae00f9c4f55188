package redisq

import (
	"context"
	"math/rand/v2"
	"time"

	"aorta/internal/backoff"
)

// newBackoff spaces the attempts to reach a Redis that does not answer.
func newBackoff() *backoff.Backoff { return backoff.New(15*time.Millisecond, 750*time.Millisecond) }

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
		wait.Pause(ctx)
	}
}

// jitter is between half of d and d: a period that must not be longer.
func jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d/2+1)
}
