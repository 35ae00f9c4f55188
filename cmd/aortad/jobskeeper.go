package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aorta/jobs"
	"aorta/jobs/redisq"
	"aorta/pacemaker"
	"aorta/pacemaker/cluster"
)

// claimLimit bounds how long a start waits until the jobs are this pacemaker's.
const claimLimit = 5 * time.Second

// openKeeper starts the keeper of the jobs and the pacemaker's own worker, both
// once the jobs Redis is fit.
func (c *controller) openKeeper(opt redisq.KeeperOptions, worker redisq.WorkerOptions) {
	k := newJobKeeper(c.jobs)
	c.pace.SetJobs(k)
	c.claimed = k.claimed
	c.d.loop("job keeper", func(ctx context.Context) error { return k.run(ctx, opt) })
	c.d.loop("pacemaker's worker", func(ctx context.Context) error {
		// Not before the jobs are ours: those of another cluster are not to be taken.
		if !k.claim(ctx) {
			<-ctx.Done()
			return nil
		}
		client, err := c.jobs.current()
		if err != nil {
			return err
		}
		return redisq.NewWorker(client, worker).Run(ctx)
	})
}

// awaitClaim waits until the jobs are this pacemaker's, so that a Redis that is
// another one's is refused at the start. One that is away is not waited for.
func (c *controller) awaitClaim(ctx context.Context) error {
	if c.jobs.wrong() != nil {
		return nil
	}
	limit := time.NewTimer(claimLimit)
	defer limit.Stop()
	select {
	case <-c.claimed:
	case <-limit.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// jobKeeper shows the keeper as the pacemaker knows it. There is none before
// the jobs Redis has been found fit: changes wait for it.
type jobKeeper struct {
	redis   *jobsRedis
	made    chan struct{} // closed once keeper is set
	keeper  *redisq.Keeper
	claimed chan struct{} // closed once the jobs are this keeper's
	ended   chan struct{} // closed when run ends
}

func newJobKeeper(r *jobsRedis) *jobKeeper {
	return &jobKeeper{redis: r, made: make(chan struct{}), claimed: make(chan struct{}), ended: make(chan struct{})}
}

func (k *jobKeeper) run(ctx context.Context, opt redisq.KeeperOptions) error {
	defer close(k.ended)
	client, err := k.redis.await(ctx)
	if err != nil {
		return err
	}
	k.keeper = redisq.NewKeeper(client, opt)
	close(k.made)
	err = k.keeper.Run(ctx)
	if !errors.Is(err, redisq.ErrFenced) {
		return err
	}
	err = fmt.Errorf("%s belongs to another pacemaker (%w): give each Aorta cluster a Redis of its own (jobs_redis_url), or end the other pacemaker of this one", k.redis.name, err)
	select {
	case <-k.claimed:
		return err
	default:
		return refusal{err} // never ours
	}
}

// claim waits until the jobs are this keeper's: it answers no request before.
// False: it, or ctx, has ended.
func (k *jobKeeper) claim(ctx context.Context) bool {
	if err := k.Abort(ctx, "", ""); !errors.Is(err, jobs.ErrNotFound) {
		return false
	}
	close(k.claimed)
	return true
}

// wait waits for the keeper.
func (k *jobKeeper) wait(ctx context.Context) error {
	select {
	case <-k.made:
		return nil
	case <-k.ended:
		return redisq.ErrStopped
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// now says that there is no keeper yet.
func (k *jobKeeper) now() error {
	select {
	case <-k.made:
		return nil
	default:
		if err := k.redis.wrong(); err != nil {
			return cluster.Unavailable("%v", err)
		}
		return cluster.Unavailable("the jobs do not answer yet: ask again in a moment")
	}
}

// Add is part of pacemaker.Jobs.
func (k *jobKeeper) Add(ctx context.Context, root jobs.Spec, operation string) error {
	if err := k.wait(ctx); err != nil {
		return err
	}
	return k.keeper.Add(ctx, root, operation)
}

// Abort is part of pacemaker.Jobs.
func (k *jobKeeper) Abort(ctx context.Context, id, reason string) error {
	if err := k.wait(ctx); err != nil {
		return err
	}
	return k.keeper.Abort(ctx, id, reason)
}

// Tree is part of pacemaker.Jobs.
func (k *jobKeeper) Tree(ctx context.Context, id string) (*jobs.Tree, error) {
	if err := k.now(); err != nil {
		return nil, err
	}
	return k.keeper.Tree(ctx, id)
}

// Log is part of pacemaker.Jobs.
func (k *jobKeeper) Log(ctx context.Context, job, after string) ([]pacemaker.JobLine, error) {
	if err := k.now(); err != nil {
		return nil, err
	}
	lines, err := k.keeper.Log(ctx, job, after)
	out := make([]pacemaker.JobLine, len(lines))
	for i, l := range lines {
		out[i] = pacemaker.JobLine{Cursor: l.ID, Time: l.Time, Text: l.Text}
	}
	return out, err
}

// Watch is part of pacemaker.Jobs.
func (k *jobKeeper) Watch(ctx context.Context) <-chan pacemaker.JobEvent {
	out := make(chan pacemaker.JobEvent)
	go func() { // ends with the keeper's events, which end with ctx
		defer close(out)
		if k.wait(ctx) != nil {
			<-ctx.Done()
			return
		}
		for e := range k.keeper.Watch(ctx) {
			select {
			case out <- pacemaker.JobEvent{Tree: e.Tree, Log: e.Log}:
			case <-ctx.Done():
			}
		}
	}()
	return out
}
