package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
	"golang.org/x/sync/errgroup"
)

const (
	producers = 16
	queue     = "default"
	warmUps   = 100
)

// rig is an asynq server and a client in this process.
type rig struct {
	client *asynq.Client
	server *asynq.Server
	look   *asynq.Inspector
	base   time.Time          // what probes are timed from
	starts chan time.Duration // from enqueuing a probe to its handler
	ran    atomic.Int64       // handlers of steps
}

// startRig runs a server until stop. The Redis must be empty.
func startRig(ctx context.Context, o options) (*rig, error) {
	at := asynq.RedisClientOpt{Network: "unix", Addr: o.socket}
	r := &rig{
		client: asynq.NewClient(at), look: asynq.NewInspector(at),
		server: asynq.NewServer(at, asynq.Config{
			Concurrency: o.slots, TaskCheckInterval: o.poll, LogLevel: asynq.FatalLevel,
		}),
		base: time.Now(), starts: make(chan time.Duration, o.probes),
	}
	mux := asynq.NewServeMux()
	mux.HandleFunc("step", func(context.Context, *asynq.Task) error { r.ran.Add(1); return nil })
	mux.HandleFunc("probe", r.probed)
	if err := r.server.Start(mux); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	if _, err := r.rate(ctx, warmUps); err != nil {
		r.stop()
		return nil, fmt.Errorf("warm up: %w", err)
	}
	return r, nil
}

func (r *rig) stop() {
	r.server.Shutdown()
	_ = r.client.Close()
	_ = r.look.Close()
}

func (r *rig) probed(_ context.Context, t *asynq.Task) error {
	now := time.Since(r.base)
	var added time.Duration
	if err := json.Unmarshal(t.Payload(), &added); err != nil {
		return err
	}
	r.starts <- now - added
	return nil
}

// latency is the time from enqueuing a job to its handler's start. The moments
// depend on nothing but a fixed seed.
func (r *rig) latency(ctx context.Context, n int, gap time.Duration) ([]time.Duration, error) {
	luck := rand.New(rand.NewPCG(1, 2))
	next := time.Now()
	for range n {
		next = next.Add(gap/5 + time.Duration(luck.Int64N(int64(gap*8/5))))
		if err := wait(ctx, time.Until(next)); err != nil {
			return nil, err
		}
		payload, _ := json.Marshal(time.Since(r.base)) // a number: it can't fail
		if _, err := r.client.EnqueueContext(ctx, asynq.NewTask("probe", payload)); err != nil {
			return nil, err
		}
	}
	var took []time.Duration
	for range n {
		select {
		case d := <-r.starts:
			took = append(took, d)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return took, r.awaitEmpty(ctx)
}

// rate enqueues n jobs from several producers, waits until none is left, and
// returns jobs a second.
func (r *rig) rate(ctx context.Context, n int) (float64, error) {
	begun := time.Now()
	goal := r.ran.Load() + int64(n)
	var g errgroup.Group
	for i := range producers {
		g.Go(func() error {
			for range (n + i) / producers { // all shares together are n
				if _, err := r.client.EnqueueContext(ctx, asynq.NewTask("step", nil)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return 0, err
	}
	for r.ran.Load() < goal {
		if err := wait(ctx, time.Millisecond); err != nil {
			return 0, err
		}
	}
	if err := r.awaitEmpty(ctx); err != nil {
		return 0, err
	}
	return float64(n) / time.Since(begun).Seconds(), nil
}

// awaitEmpty waits until the queue holds nothing, running jobs included.
func (r *rig) awaitEmpty(ctx context.Context) error {
	for {
		q, err := r.look.GetQueueInfo(queue)
		if err != nil {
			return fmt.Errorf("look at the queue: %w", err)
		}
		if q.Size == 0 {
			return nil
		}
		if err := wait(ctx, time.Millisecond); err != nil {
			return err
		}
	}
}

// wait lets d pass, or returns why ctx ended before.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
