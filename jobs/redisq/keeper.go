package redisq

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"aorta/jobs"
)

// ErrStopped says that the keeper's Run has ended, or was never begun in time.
var ErrStopped = errors.New("the keeper of the jobs has stopped")

// KeeperOptions describe a keeper. Cluster, Epoch and Owner are required.
type KeeperOptions struct {
	Cluster string // id of the cluster; a Redis of another one is refused
	Epoch   int64  // higher than that of every keeper before
	Owner   string // id of this process; two with one epoch fence each other

	LeaseTTL      time.Duration          // silence after which a worker counts as dead; 3 s if 0
	Policies      map[string]jobs.Policy // by kind
	DefaultPolicy jobs.Policy            // of kinds without one; zero means one attempt
	Clock         func() time.Time       // time.Now if nil; must carry the monotonic reading

	// Periodic are trees that come again by themselves. A slot has its tree at
	// least once; only a Redis that lost its data can bring one twice.
	Periodic []jobs.Periodic

	// Confirm is asked before the owner record is written into a Redis that has
	// none, at the first start or after it was emptied: is Epoch still the
	// highest one known? An error keeps the keeper waiting; one that wraps
	// ErrFenced ends it. Without Confirm the answer is yes.
	Confirm func(ctx context.Context) error
	// OnEnd takes an ended tree over. It is called at least once for each, again
	// after an error or a restart; the tree's keys are deleted after it returned
	// nil. The logs can still be read from it. The tree must not be changed.
	OnEnd func(ctx context.Context, t *jobs.Tree) error
	// MayGraft decides whether a job may add another, with all that is below it,
	// to its tree. If nil, a job of a role may add any and one of a node none.
	MayGraft func(by *jobs.Job, s jobs.Spec) bool
	// Crash is called at named points, for tests that end the process there.
	Crash func(point string)
	Log   *slog.Logger // slog.Default if nil

	block time.Duration // of a waiting read; it does not notice the end of its context
	sweep time.Duration // between two sweeps; by LeaseTTL if 0
}

func (o *KeeperOptions) fill() {
	if o.LeaseTTL <= 0 {
		o.LeaseTTL = 3 * time.Second
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Confirm == nil {
		o.Confirm = func(context.Context) error { return nil }
	}
	if o.MayGraft == nil {
		o.MayGraft = func(by *jobs.Job, _ jobs.Spec) bool { return !by.Queue.IsNode() }
	}
	if o.block <= 0 {
		o.block = readBlock
	}
	if o.Crash == nil {
		o.Crash = func(string) {}
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
}

// Keeper owns the trees of jobs: it adds, moves, aborts and ends them. One runs
// at a time; a second one with a higher epoch takes over and the first ends with
// ErrFenced. Methods are safe for concurrent use.
type Keeper struct {
	rdb       redis.UniversalClient
	opt       KeeperOptions
	requests  chan *request
	stopped   chan struct{} // closed when Run returns
	locations *locations
	stats     counters
}

// NewKeeper makes a keeper; Run starts it. The client must not repeat commands
// (MaxRetries -1), and needs three connections beside those of the callers; reads
// that wait have others. (A ClusterClient repeats some after network errors all
// the same: what is sent twice changes nothing, but for a doubled line in a log.)
func NewKeeper(rdb redis.UniversalClient, opt KeeperOptions) *Keeper {
	opt.fill()
	return &Keeper{
		rdb: rdb, opt: opt, requests: make(chan *request),
		stopped: make(chan struct{}), locations: newLocations(),
	}
}

// Run takes the open trees over and moves them until ctx ends (nil) or another
// keeper has taken over (ErrFenced). An unreachable, restarted or wiped Redis is
// waited for. Run may be called once.
func (k *Keeper) Run(ctx context.Context) error {
	defer close(k.stopped)
	if k.opt.Cluster == "" || k.opt.Owner == "" {
		return errors.New("run the keeper of the jobs: its cluster or owner is missing")
	}
	for _, p := range k.opt.Periodic {
		if err := p.Validate(); err != nil {
			return fmt.Errorf("run the keeper of the jobs: %w", err)
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	l := newLoop(k, g)
	g.Go(func() error { return l.run(ctx) })
	g.Go(func() error { return readOuts(ctx, k, l.batches) })
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

func (k *Keeper) policy(kind string) jobs.Policy {
	if p, ok := k.opt.Policies[kind]; ok {
		return p
	}
	return k.opt.DefaultPolicy
}

// fenceArgs are the last arguments of every script.
func (k *Keeper) fenceArgs(args ...any) []any {
	return append(args, k.opt.Cluster, k.opt.Epoch, k.opt.Owner)
}

// Stats count what a healthy system rarely does.
type Stats struct {
	Late     int64 // outcomes under a lease that was over: dropped
	Rejected int64 // messages that could not be read or were not the sender's to send: dropped
	Lost     int64 // leases whose worker fell silent
	Resyncs  int64 // times that everything was read anew, the first included
}

// Stats returns the counts since NewKeeper.
func (k *Keeper) Stats() Stats {
	return Stats{
		Late: k.stats.late.Load(), Rejected: k.stats.rejected.Load(),
		Lost: k.stats.lost.Load(), Resyncs: k.stats.resyncs.Load(),
	}
}

type counters struct{ late, rejected, lost, resyncs atomic.Int64 }
