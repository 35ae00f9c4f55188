package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"aorta/internal/pause"
	"aorta/jobs"
)

const (
	producers = 16 // callers of Add at a time
	aborts    = 200
	probes    = 500
	probeGap  = 30 * time.Millisecond // on average
	trees     = 3000
	idleSpan  = 10 * time.Second
)

// spaced runs fn n times at moments that depend on nothing but a fixed seed: no
// contestant's own rhythm chooses when it is asked.
func spaced(ctx context.Context, n int, gap time.Duration, fn func() error) error {
	luck := rand.New(rand.NewPCG(1, 2))
	next := time.Now()
	for range n {
		next = next.Add(gap/5 + time.Duration(luck.Int64N(int64(gap*8/5))))
		if !pause.For(ctx, time.Until(next)) {
			return ctx.Err()
		}
		if err := fn(); err != nil {
			return err
		}
	}
	return nil
}

// latency is the time from adding a job to its handler's start, sorted.
func (r *rig) latency(ctx context.Context, n int, gap time.Duration) ([]time.Duration, error) {
	if err := spaced(ctx, n, gap, func() error { return r.probe(ctx) }); err != nil {
		return nil, err
	}
	var took []time.Duration
	for range n {
		d, err := receive(ctx, r, r.starts)
		if err != nil {
			return nil, fmt.Errorf("wait for the handlers to start: %w", err)
		}
		took = append(took, d)
	}
	slices.Sort(took)
	return took, r.awaitEnds(ctx, n)
}

// abort is the time from the request to the end of the handler's context, sorted.
func (r *rig) abort(ctx context.Context, n int) ([]time.Duration, error) {
	var took []time.Duration
	for range n {
		s := step("hang")
		if err := r.keeper.Add(ctx, s, ""); err != nil {
			return nil, err
		}
		if _, err := receive(ctx, r, r.hangs); err != nil {
			return nil, fmt.Errorf("wait for a handler to start: %w", err)
		}
		asked := time.Now()
		if err := r.keeper.Abort(ctx, s.ID, "bench"); err != nil {
			return nil, err
		}
		ended, err := receive(ctx, r, r.hangs)
		if err != nil {
			return nil, fmt.Errorf("wait for an aborted handler: %w", err)
		}
		took = append(took, ended.Sub(asked))
		if err := r.awaitEnds(ctx, 1); err != nil {
			return nil, err
		}
	}
	slices.Sort(took)
	return took, nil
}

// rate adds n trees from several callers, waits until all were handed over
// and deleted, and returns trees a second.
func (r *rig) rate(ctx context.Context, n int, spec func() jobs.Spec) (float64, error) {
	begun := time.Now()
	if err := produce(n, func() error { return r.keeper.Add(ctx, spec(), "") }); err != nil {
		return 0, err
	}
	if err := r.awaitEnds(ctx, n); err != nil {
		return 0, err
	}
	if err := awaitNoTrees(ctx, r.keeper); err != nil {
		return 0, err
	}
	return float64(n) / time.Since(begun).Seconds(), nil
}

// produce calls fn n times from all producers together.
func produce(n int, fn func() error) error {
	var g errgroup.Group
	for i := range producers {
		g.Go(func() error {
			for range (n + i) / producers { // all shares together are n
				if err := fn(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// idle is what the process and Redis use with nothing to do, in percent of a core.
func (r *rig) idle(ctx context.Context, span time.Duration) (cost, error) {
	c, err := during(ctx, r.rdb, func() error {
		pause.For(ctx, span)
		return ctx.Err()
	})
	return c.times(100 / span.Seconds()), err
}
