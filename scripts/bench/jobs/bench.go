package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"aorta/jobs"
	"aorta/jobs/redisq"
)

var queue = jobs.RoleQueue("bench")

// bench is a keeper and its workers in this process.
type bench struct {
	rdb     *redis.Client
	keeper  *redisq.Keeper
	started chan time.Time // a probe's handler began
	ended   chan struct{}  // a tree was handed over
	ran     atomic.Int64   // handlers
	stop    func()
}

func newBench(rdb *redis.Client) *bench {
	b := &bench{rdb: rdb, started: make(chan time.Time, 1), ended: make(chan struct{}, trees)}
	b.keeper = redisq.NewKeeper(rdb, redisq.KeeperOptions{
		Cluster: "bench", Epoch: 1, Owner: uuid.NewString(),
		OnEnd: func(context.Context, *jobs.Tree) error { b.ended <- struct{}{}; return nil },
		Log:   slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	return b
}

// start runs everything until stop.
func (b *bench) start(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	g, ctx := errgroup.WithContext(ctx)
	b.stop = func() { cancel(); _ = g.Wait() }
	g.Go(func() error { return b.keeper.Run(ctx) })
	handlers := map[string]jobs.Handler{
		"probe": func(context.Context, *jobs.Run) (any, error) { b.started <- time.Now(); return nil, nil },
		"hang": func(ctx context.Context, _ *jobs.Run) (any, error) {
			b.started <- time.Now()
			<-ctx.Done()
			b.started <- time.Now()
			return nil, ctx.Err()
		},
		"step": func(context.Context, *jobs.Run) (any, error) { b.ran.Add(1); return nil, nil },
	}
	for i := range workers {
		w := redisq.NewWorker(b.rdb, redisq.WorkerOptions{
			Queue: queue, ID: "w" + strconv.Itoa(i), Handlers: handlers,
		})
		g.Go(func() error { return w.Run(ctx) })
	}
	return nil
}

// latency adds one job at a time, each after the one before has ended.
func (b *bench) latency(ctx context.Context) error {
	var took []time.Duration
	for range latencies {
		begun := time.Now()
		if err := b.keeper.Add(ctx, step("probe"), ""); err != nil {
			return err
		}
		took = append(took, (<-b.started).Sub(begun))
		<-b.ended
	}
	show("enqueue to start, idle", took)
	return nil
}

// abort measures from the request to the end of the handler's context.
func (b *bench) abort(ctx context.Context) error {
	var took []time.Duration
	for range aborts {
		s := step("hang")
		if err := b.keeper.Add(ctx, s, ""); err != nil {
			return err
		}
		<-b.started
		begun := time.Now()
		if err := b.keeper.Abort(ctx, s.ID, "bench"); err != nil {
			return err
		}
		took = append(took, (<-b.started).Sub(begun))
		<-b.ended
	}
	show("abort to the handler's end, idle", took)
	return nil
}

func show(what string, took []time.Duration) {
	slices.Sort(took)
	fmt.Printf("%s: p50 %s  p99 %s  max %s  (%d jobs)\n", what,
		took[len(took)/2], took[len(took)*99/100], took[len(took)-1], len(took))
}

// throughput adds trees from several callers and waits for all of them.
func (b *bench) throughput(ctx context.Context) error {
	begun := time.Now()
	var g errgroup.Group
	for range 16 {
		g.Go(func() error {
			for range trees / 16 {
				if err := b.keeper.Add(ctx, tree(), ""); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for range trees / 16 * 16 {
		select {
		case <-b.ended:
		case <-ctx.Done():
			return fmt.Errorf("wait for the trees to end: %w", ctx.Err())
		}
	}
	span := time.Since(begun)
	fmt.Printf("trees of %d jobs, %d workers: %.0f jobs/s  (%d jobs in %s)\n",
		treeSize, workers, float64(b.ran.Load())/span.Seconds(), b.ran.Load(), span.Round(time.Millisecond))
	return nil
}

// idle measures what the keeper, the workers and Redis use with nothing to do.
func (b *bench) idle(ctx context.Context) error {
	own, redisBefore := cpu(), b.redisCPU(ctx)
	timer := time.NewTimer(idleSpan)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	fmt.Printf("idle, one keeper and %d workers: %.2f %% of a core, Redis %.2f %%\n", workers,
		100*(cpu()-own).Seconds()/idleSpan.Seconds(), 100*(b.redisCPU(ctx)-redisBefore)/idleSpan.Seconds())
	return nil
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // it can't fail for this process
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// redisCPU is the server's CPU time in seconds.
func (b *bench) redisCPU(ctx context.Context) float64 {
	sum := 0.0
	for line := range strings.SplitSeq(b.rdb.Info(ctx, "cpu").Val(), "\r\n") {
		name, value, _ := strings.Cut(line, ":")
		if name == "used_cpu_sys" || name == "used_cpu_user" {
			n, _ := strconv.ParseFloat(value, 64)
			sum += n
		}
	}
	return sum
}

func step(kind string, children ...jobs.Spec) jobs.Spec {
	return jobs.Spec{ID: uuid.Must(uuid.NewV7()).String(), Kind: kind, Queue: queue, Priority: jobs.Normal, Children: children}
}

// tree has a root, two steps below it, and four leaves.
func tree() jobs.Spec {
	half := func() jobs.Spec { return step("step", step("step"), step("step")) }
	return step("step", half(), half())
}
