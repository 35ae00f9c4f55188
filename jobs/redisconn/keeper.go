package redisconn

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"aorta/jobs"
	"aorta/jobs/redisq"
	"aorta/pacemaker/cluster"
)

// Keeper is the keeper of the jobs, which starts once the jobs Redis has been
// found compatible: changes wait for it, questions are answered unavailable.
type Keeper struct {
	redis   *Redis
	opt     redisq.KeeperOptions
	made    chan struct{} // closed once keeper is set
	keeper  *redisq.Keeper
	claimed chan struct{} // closed once the jobs are this keeper's
	ended   chan struct{} // closed when Run ends
}

// NewKeeper makes a keeper of the jobs in r; Run starts it.
func NewKeeper(r *Redis, opt redisq.KeeperOptions) *Keeper {
	return &Keeper{redis: r, opt: opt, made: make(chan struct{}), claimed: make(chan struct{}), ended: make(chan struct{})}
}

// Run keeps the jobs until ctx ends. redisq.ErrFenced: they belong to another
// pacemaker.
func (k *Keeper) Run(ctx context.Context) error {
	defer close(k.ended)
	client, err := k.redis.await(ctx)
	if err != nil {
		return err
	}
	k.keeper = redisq.NewKeeper(client, k.opt)
	close(k.made)
	err = k.keeper.Run(ctx)
	if errors.Is(err, redisq.ErrFenced) {
		return fmt.Errorf("%s belongs to another pacemaker (%w): give each Aorta cluster a Redis of its own (jobs_redis_url), or end the other pacemaker of this one", k.redis.opt.Name, err)
	}
	return err
}

// Work runs the pacemaker's own workers until ctx ends. They begin once the jobs
// are this keeper's: those of another cluster must not be worked on.
func (k *Keeper) Work(ctx context.Context, workers ...redisq.WorkerOptions) error {
	if !k.claim(ctx) {
		<-ctx.Done()
		return nil
	}
	client, err := k.redis.current()
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, opt := range workers {
		g.Go(func() error { return redisq.NewWorker(client, opt).Run(ctx) })
	}
	return g.Wait()
}

// claim waits until the jobs are this keeper's: it answers no request before.
// False: it, or ctx, has ended.
func (k *Keeper) claim(ctx context.Context) bool {
	if err := k.Abort(ctx, "", ""); !errors.Is(err, jobs.ErrNotFound) {
		return false
	}
	close(k.claimed)
	return true
}

// Claimed is closed once the jobs are this keeper's; Work sees to that.
func (k *Keeper) Claimed() <-chan struct{} { return k.claimed }

// wait waits for the keeper.
func (k *Keeper) wait(ctx context.Context) error {
	select {
	case <-k.made:
		return nil
	case <-k.ended:
		return redisq.ErrStopped
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// started is an error as long as there is no keeper.
func (k *Keeper) started() error {
	select {
	case <-k.made:
		return nil
	default:
		if err := k.redis.Problem(); err != nil {
			return cluster.Unavailable("%v", err)
		}
		return cluster.Unavailable("the jobs do not answer yet: try again in a moment")
	}
}

// Add adds a tree, see redisq.Keeper.
func (k *Keeper) Add(ctx context.Context, root jobs.Spec, operation string) error {
	if err := k.wait(ctx); err != nil {
		return err
	}
	return k.keeper.Add(ctx, root, operation)
}

// Supersede has others take the place of a job, see redisq.Keeper.
func (k *Keeper) Supersede(ctx context.Context, id string, by []jobs.Spec, reason string) error {
	if err := k.wait(ctx); err != nil {
		return err
	}
	return k.keeper.Supersede(ctx, id, by, reason)
}

// Abort stops a tree, see redisq.Keeper.
func (k *Keeper) Abort(ctx context.Context, id, reason string) error {
	if err := k.wait(ctx); err != nil {
		return err
	}
	return k.keeper.Abort(ctx, id, reason)
}

// Tree gives a tree, see redisq.Keeper.
func (k *Keeper) Tree(ctx context.Context, id string) (*jobs.Tree, error) {
	if err := k.started(); err != nil {
		return nil, err
	}
	return k.keeper.Tree(ctx, id)
}

// Log gives the lines of a job's log after a cursor, see redisq.Keeper.
func (k *Keeper) Log(ctx context.Context, job, after string) ([]redisq.LogLine, error) {
	if err := k.started(); err != nil {
		return nil, err
	}
	return k.keeper.Log(ctx, job, after)
}

// Watch gives the keeper's events until ctx ends, once there is a keeper.
func (k *Keeper) Watch(ctx context.Context) <-chan redisq.Event {
	out := make(chan redisq.Event)
	go func() { // ends with the keeper's events, which end with ctx
		defer close(out)
		if k.wait(ctx) != nil {
			<-ctx.Done()
			return
		}
		for e := range k.keeper.Watch(ctx) {
			select {
			case out <- e:
			case <-ctx.Done():
			}
		}
	}()
	return out
}
