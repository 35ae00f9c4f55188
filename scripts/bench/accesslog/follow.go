package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"syscall"
	"time"

	"aorta/router/accesslog"
	"aorta/router/stats"
)

// counter counts the lines that reach a store; without one they end in it.
type counter struct {
	*stats.Store
	lines atomic.Int64
	at    [stats.Shards]stats.Position
}

// Positions implements accesslog.Store.
func (c *counter) Positions(ctx context.Context, router string) ([stats.Shards]stats.Position, error) {
	if c.Store == nil {
		return c.at, nil
	}
	return c.Store.Positions(ctx, router)
}

// Commit implements accesslog.Store.
func (c *counter) Commit(ctx context.Context, shard int, router string, from, to stats.Position, b *stats.Batch) error {
	if c.Store != nil {
		if err := c.Store.Commit(ctx, shard, router, from, to, b); err != nil {
			return err
		}
	}
	c.lines.Add(int64(b.Len()))
	return nil
}

// await polls until n lines are counted.
func (c *counter) await(ctx context.Context, n int) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for c.lines.Load() < int64(n) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// tail runs a tailer while fn does.
func tail(ctx context.Context, log *traffic, c *counter, fn func() error) error {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	t := accesslog.NewTailer(accesslog.Config{Path: log.path, Router: uuid(5, 0), Store: c})
	go func() { done <- t.Run(ctx) }()
	if c.Store != nil { // who counts what the tailer puts there, on the same core
		taker := stats.NewTaker(c.Store, stats.TakerConfig{Routers: func(context.Context) ([]string, error) { return []string{uuid(5, 0)}, nil }})
		taking := make(chan error, 1)
		go func() { taking <- taker.Run(ctx) }()
		defer func() { <-taking }()
	}
	err := fn()
	cancel()
	if ended := <-done; err == nil {
		err = ended
	}
	return err
}

// follow times a whole log.
func follow(ctx context.Context, what string, log *traffic, c *counter) error {
	return tail(ctx, log, c, func() error {
		start, cpu := time.Now(), used()
		if err := c.await(ctx, log.lines); err != nil {
			return err
		}
		wall, cpu := time.Since(start), used()-cpu
		n := float64(log.lines)
		fmt.Printf("%-24s %9.0f lines/s by the clock, %9.0f per second of CPU (%d lines, one core)\n",
			what, n/wall.Seconds(), n/cpu.Seconds(), log.lines)
		return nil
	})
}

// steady measures the CPU of the tailer alone: the lines are made beforehand.
func steady(ctx context.Context, log *traffic, c *counter) error {
	const span = 10 * time.Second
	return tail(ctx, log, c, func() error {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		var writing time.Duration
		start, cpu := time.Now(), used()
		for time.Since(start) < span {
			<-tick.C
			before := used()
			if err := log.write(perSecond / 5); err != nil {
				return err
			}
			writing += used() - before
		}
		cpu = used() - cpu - writing
		fmt.Printf("%-24s %9.1f %% of a core (%s, written every 200 ms)\n",
			"at 10,000 lines/s", 100*cpu.Seconds()/time.Since(start).Seconds(), span)
		return nil
	})
}

// used is this process' CPU time so far.
func used() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
