package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"aorta/jobs"
	"aorta/jobs/redisq"
)

var queue = jobs.RoleQueue("bench")

// shape is how handlers are spread over the workers of one process.
type shape struct{ workers, slots int }

func (s shape) String() string {
	return fmt.Sprintf("%d worker(s) of %d slot(s)", s.workers, s.slots)
}

// rig is a keeper and its workers in this process.
type rig struct {
	rdb    *redis.Client
	keeper *redisq.Keeper
	base   time.Time          // what probes are timed from
	starts chan time.Duration // from adding a probe to its handler
	hangs  chan time.Time     // a hanging handler began, and then was ended
	ended  chan struct{}      // a tree was handed over
	ran    atomic.Int64       // handlers of steps
	stop   func()
	broken <-chan struct{} // closed when the keeper or a worker ended
}

// startRig runs a keeper and workers until stop. The Redis must be empty.
func startRig(ctx context.Context, rdb *redis.Client, s shape) (*rig, error) {
	r := &rig{
		rdb: rdb, base: time.Now(), starts: make(chan time.Duration, 10000),
		hangs: make(chan time.Time, 2), ended: make(chan struct{}, 100000),
	}
	r.keeper = redisq.NewKeeper(rdb, redisq.KeeperOptions{
		Cluster: "bench", Epoch: 1, Owner: uuid.NewString(), Log: quiet(),
		OnEnd: func(context.Context, *jobs.Tree) error { r.ended <- struct{}{}; return nil },
	})
	ctx, cancel := context.WithCancel(ctx)
	g, ctx := errgroup.WithContext(ctx)
	r.broken = ctx.Done()
	r.stop = sync.OnceFunc(func() { cancel(); _ = g.Wait() })
	g.Go(func() error { return r.keeper.Run(ctx) })
	for i := range s.workers {
		w := redisq.NewWorker(rdb, redisq.WorkerOptions{
			Queue: queue, ID: "w" + strconv.Itoa(i), Concurrency: s.slots, Handlers: r.handlers(), Log: quiet(),
		})
		g.Go(func() error { return w.Run(ctx) })
	}
	if err := r.warmUp(ctx); err != nil {
		r.stop()
		return nil, err
	}
	return r, nil
}

func (r *rig) handlers() map[string]jobs.Handler {
	return map[string]jobs.Handler{
		"step": func(context.Context, *jobs.Run) (any, error) { r.ran.Add(1); return nil, nil },
		"probe": func(_ context.Context, run *jobs.Run) (any, error) {
			now := time.Since(r.base)
			var added time.Duration
			if err := run.Args(&added); err != nil {
				return nil, err
			}
			r.starts <- now - added
			return nil, nil
		},
		"hang": func(ctx context.Context, _ *jobs.Run) (any, error) {
			r.hangs <- time.Now()
			<-ctx.Done()
			r.hangs <- time.Now()
			return nil, ctx.Err()
		},
	}
}

// warmUp opens the connections and makes the queue's keys.
func (r *rig) warmUp(ctx context.Context) error {
	const rounds = 100
	for range rounds {
		if err := r.keeper.Add(ctx, step("step"), ""); err != nil {
			return fmt.Errorf("warm up: %w", err)
		}
	}
	err := r.awaitEnds(ctx, rounds)
	r.ran.Store(0)
	return err
}

var errBroken = errors.New("the keeper or a worker ended")

// awaitEnds waits until n trees more were handed over.
func (r *rig) awaitEnds(ctx context.Context, n int) error {
	for range n {
		if _, err := receive(ctx, r, r.ended); err != nil {
			return fmt.Errorf("wait for the trees to end: %w", err)
		}
	}
	return nil
}

// receive waits for a value that the rig sends.
func receive[T any](ctx context.Context, r *rig, from <-chan T) (T, error) {
	select {
	case v := <-from:
		return v, nil
	case <-ctx.Done():
	case <-r.broken:
	}
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	return none, errBroken
}

// probe adds a job whose handler tells how long it took to start.
func (r *rig) probe(ctx context.Context) error {
	s := step("probe")
	s.Args, _ = json.Marshal(time.Since(r.base)) // a number: it can't fail
	return r.keeper.Add(ctx, s, "")
}

func step(kind string, children ...jobs.Spec) jobs.Spec {
	return jobs.Spec{ID: uuid.Must(uuid.NewV7()).String(), Kind: kind, Queue: queue, Priority: jobs.Normal, Children: children}
}

// single is a tree of one job.
func single() jobs.Spec { return step("step") }

// treeSize is the number of jobs of a tree.
const treeSize = 7

// tree has a root, two steps below it, and four leaves.
func tree() jobs.Spec {
	half := func() jobs.Spec { return step("step", step("step"), step("step")) }
	return step("step", half(), half())
}
