package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"aorta/internal/pause"
	"aorta/jobs"
	"aorta/jobs/redisq"
)

// roleWorker is the role of a process that runs one worker until it is killed.
const roleWorker = "worker"

// stormPlan is how hard it blows.
type stormPlan struct {
	trees int
	crew  int
	every time.Duration
}

func (p *stormPlan) flags() {
	flag.IntVar(&p.trees, "trees", 10000, "of the storm, of seven jobs each")
	flag.IntVar(&p.crew, "crew", 20, "of the storm: worker processes")
	flag.DurationVar(&p.every, "every", time.Second, "of the storm: time between two kills")
}

// runStormWorker takes jobs, one at a time, until it is killed.
func runStormWorker(ctx context.Context, o options) error {
	rdb := dial(o.socket, 10)
	defer func() { _ = rdb.Close() }()
	return redisq.NewWorker(rdb, redisq.WorkerOptions{
		Queue: queue, ID: o.id, Handlers: map[string]jobs.Handler{"step": effect(rdb)}, Log: quiet(),
	}).Run(ctx)
}

// storm is a keeper here, and workers elsewhere that are being killed.
type storm struct {
	rdb    *redis.Client
	plan   stormPlan
	crew   *crew
	keeper *redisq.Keeper

	mu    sync.Mutex // guards what OnEnd, called from several goroutines, notes
	ended map[string][]*jobs.Tree
	times []time.Time // of each end
}

// stormPart runs the storm and judges what it left.
func stormPart(ctx context.Context, l *lab) error {
	s := &storm{rdb: l.rdb, plan: l.opt.storm, ended: map[string][]*jobs.Tree{}}
	var err error
	if s.crew, err = startCrew(s.plan.crew, l.server.Socket); err != nil {
		return err
	}
	defer s.crew.end()
	s.keeper = redisq.NewKeeper(l.rdb, redisq.KeeperOptions{
		Cluster: "bench", Epoch: 1, Owner: uuid.NewString(), Log: quiet(),
		DefaultPolicy: jobs.Policy{MaxAttempts: 3}, OnEnd: s.note,
	})
	kctx, stop := context.WithCancelCause(ctx)
	var g errgroup.Group
	g.Go(func() error {
		err := s.keeper.Run(kctx)
		stop(err) // what waits must not wait on
		return err
	})
	err = s.blow(kctx)
	stop(nil)
	return errors.Join(err, g.Wait())
}

// note is the keeper's OnEnd.
func (s *storm) note(_ context.Context, t *jobs.Tree) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended[t.ID] = append(s.ended[t.ID], t)
	s.times = append(s.times, time.Now())
	return nil
}

func (s *storm) endedTrees() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.ended)
}

// blow takes one tree as the measure of what may stay, then adds all others
// while workers die.
func (s *storm) blow(ctx context.Context) error {
	calm, err := s.calm(ctx)
	if err != nil {
		return err
	}
	planted := s.specs()
	begun := time.Now()
	killing, enough := context.WithCancel(ctx)
	defer enough()
	var g errgroup.Group
	g.Go(func() error { return s.crew.harass(killing, s.plan.every) })
	err = s.sow(ctx, planted)
	span := time.Since(begun)
	enough()
	if err := errors.Join(err, g.Wait()); err != nil {
		return err
	}
	left, err := awaitKeys(ctx, s.rdb, calm)
	if err != nil {
		return err
	}
	e, err := readEffects(ctx, s.rdb)
	if err != nil {
		return err
	}
	v := verdict{planted: planted, ended: s.ended, effects: e, left: left, lost: int(s.keeper.Stats().Lost)}
	s.report(v, begun, span)
	return v.print()
}

// calm is the keyspace after a tree that nobody disturbed.
func (s *storm) calm(ctx context.Context) ([]string, error) {
	first := tree()
	if err := s.sow(ctx, []jobs.Spec{first}); err != nil {
		return nil, fmt.Errorf("run the first tree: %w", err)
	}
	delete(s.ended, first.ID) // no other tree is open: nobody else writes
	s.times = nil
	if err := s.rdb.Del(ctx, keyEffects, keyExecutions).Err(); err != nil {
		return nil, fmt.Errorf("delete the first effects: %w", err)
	}
	return keyspace(ctx, s.rdb)
}

func (s *storm) specs() []jobs.Spec {
	out := make([]jobs.Spec, s.plan.trees)
	for i := range out {
		out[i] = tree()
	}
	return out
}

// sow adds trees from several callers and waits until the last was handed over
// and deleted.
func (s *storm) sow(ctx context.Context, specs []jobs.Spec) error {
	var g errgroup.Group
	share := (len(specs) + producers - 1) / producers
	for some := range slices.Chunk(specs, share) {
		g.Go(func() error {
			for _, spec := range some {
				if err := s.keeper.Add(ctx, spec, ""); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("add the trees: %w", err)
	}
	goal := s.endedTrees
	for goal() < len(specs) {
		if !pause.For(ctx, 5*time.Millisecond) {
			return fmt.Errorf("wait for the trees: %d of %d ended: %w", goal(), len(specs), context.Cause(ctx))
		}
	}
	return awaitNoTrees(ctx, s.keeper)
}

// report prints what happened.
func (s *storm) report(v verdict, begun time.Time, span time.Duration) {
	all := len(v.planted) * treeSize
	fmt.Printf("%d trees of %d jobs, %d worker processes, one killed every %s: %.0f jobs/s (%d jobs in %s)\n",
		len(v.planted), treeSize, s.plan.crew, s.plan.every, float64(all)/span.Seconds(), all, span.Round(time.Millisecond))
	if most := len(s.times) * 99 / 100; most > 0 {
		took := s.times[most-1].Sub(begun)
		fmt.Printf("99 %% of the trees had ended after %s (%.0f jobs/s); the last wait for dead workers' leases of 3 s\n",
			took.Round(time.Millisecond), float64(most*treeSize)/took.Seconds())
	}
	repeats := v.repeats()
	fmt.Printf("%d workers were killed, %d of them with a job (leases lost): %d before the job's effect, %d behind it and\n",
		s.crew.kills, v.lost, v.lost-repeats, repeats)
	fmt.Printf("before they could say so; these %d jobs ran again and found their effect there\n", repeats)
}
