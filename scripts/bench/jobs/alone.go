package main

import (
	"context"
	"fmt"
	"time"
)

// latencyPart measures one job at a time on an idle system.
func latencyPart(ctx context.Context, l *lab) error {
	r, err := startRig(ctx, l.rdb, l.opt.shape)
	if err != nil {
		return err
	}
	defer r.stop()
	started, err := r.latency(ctx, probes, probeGap)
	if err != nil {
		return err
	}
	show("enqueue to start, idle", started)
	aborted, err := r.abort(ctx, aborts)
	if err != nil {
		return err
	}
	show("abort to the end of the handler's context, idle", aborted)
	p50, p99 := quantile(started, 50), quantile(started, 99)
	l.aims = append(l.aims,
		aim{what: "enqueue to start, p50", got: p50.String(), want: "<= 2ms", met: p50 <= 2*time.Millisecond},
		aim{what: "enqueue to start, p99", got: p99.String(), want: "<= 10ms", met: p99 <= 10*time.Millisecond})
	return nil
}

// throughputPart measures trees that are added all at once.
func throughputPart(ctx context.Context, l *lab) error {
	r, err := startRig(ctx, l.rdb, l.opt.shape)
	if err != nil {
		return err
	}
	defer r.stop()
	var rate float64
	used, err := during(ctx, l.rdb, func() (err error) {
		rate, err = r.rate(ctx, trees, tree)
		return err
	})
	if err != nil {
		return err
	}
	rate *= treeSize
	per := used.times(1000. / (trees * treeSize))
	fmt.Printf("%d trees of %d jobs, %s: %.0f jobs/s; CPU per 1,000 jobs: process %.3f s, Redis %.3f s\n",
		trees, treeSize, l.opt.shape, rate, per.Process, per.Redis)
	l.aims = append(l.aims, aim{what: "jobs a second in trees", got: fmt.Sprintf("%.0f", rate), want: ">= 3000", met: rate >= 3000})
	return nil
}

// idlePart measures a system with nothing to do, once with all slots in one
// worker, as a node has them, and once with a worker for each.
func idlePart(ctx context.Context, l *lab) error {
	for _, s := range []shape{{1, l.opt.shape.workers * l.opt.shape.slots}, l.opt.shape} {
		c, err := idleOnce(ctx, l, s)
		if err != nil {
			return err
		}
		fmt.Printf("idle, one keeper and %s: process %.2f %% of a core, Redis %.2f %%\n", s, c.Process, c.Redis)
		l.aims = append(l.aims, aim{
			what: "idle with " + s.String(), got: fmt.Sprintf("%.2f %%", c.total()), want: "< 0.5 %", met: c.total() < 0.5,
		})
	}
	return nil
}

func idleOnce(ctx context.Context, l *lab, s shape) (cost, error) {
	r, err := startRig(ctx, l.rdb, s)
	if err != nil {
		return cost{}, err
	}
	defer r.stop()
	c, err := r.idle(ctx, idleSpan)
	if err != nil {
		return cost{}, err
	}
	r.stop()
	return c, l.rdb.FlushAll(ctx).Err()
}
