package redisq

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"aorta/jobs"
)

// loop is the one goroutine that changes trees. All its fields are its own.
type loop struct {
	*Keeper
	group    *errgroup.Group // runs the calls of OnEnd
	batches  chan *batch
	archived chan string   // trees that OnEnd has taken over
	ends     chan struct{} // bounds the calls of OnEnd at a time

	trees     map[string]*tree
	leases    map[string]*lease    // by job id: queued or running
	delayed   map[string]time.Time // by job id: ready, but not before
	ending    map[string]bool      // trees that OnEnd is asked to take
	retry     []*request           // failed once for Redis' sake
	lastSweep time.Time
}

// tree is a tree as this keeper last wrote it.
type tree struct {
	*jobs.Tree
	version int64 // 0: not written yet
}

// lease is one queueing of a job, and what was seen of it.
type lease struct {
	token     string
	tree      string
	job       string
	queue     jobs.Queue
	priority  int
	entry     string    // in the queue's stream; empty: not queued yet
	running   bool      // its start was heard of
	delivered bool      // a worker took the entry, nothing was heard yet
	cancelled bool      // its worker was told to end it
	beat      string    // the counter, as last seen
	seen      time.Time // when the counter last moved, or the lease began
	started   time.Time // when its start was heard of here
	missing   time.Time // since when its entry is neither queued nor taken
}

// maxEnds is how many trees are handed over at a time.
const maxEnds = 8

func newLoop(k *Keeper, g *errgroup.Group) *loop {
	return &loop{
		Keeper: k, group: g,
		batches: make(chan *batch), archived: make(chan string),
		ends:  make(chan struct{}, maxEnds),
		trees: map[string]*tree{}, leases: map[string]*lease{},
		delayed: map[string]time.Time{}, ending: map[string]bool{},
	}
}

// run reads everything, then follows events; after any error it begins anew,
// because what is in memory may not be what is stored.
func (l *loop) run(ctx context.Context) error {
	wait := newBackoff()
	for ctx.Err() == nil {
		err := l.resync(ctx)
		if err == nil {
			wait.reset()
			err = l.follow(ctx)
		}
		if errors.Is(err, ErrFenced) {
			return err
		}
		if err != nil && ctx.Err() == nil {
			l.opt.Log.Warn("the jobs Redis failed; reading everything anew", "error", err)
			wait.pause(ctx)
		}
	}
	return nil
}

// errAnew asks for a resync.
var errAnew = errors.New("the jobs in Redis are not those last written")

// follow works events in until one fails.
func (l *loop) follow(ctx context.Context) error {
	retry := l.retry
	l.retry = nil
	if err := l.serve(ctx, retry, true); err != nil {
		return err
	}
	sweep := time.NewTimer(l.sweepInterval())
	defer sweep.Stop()
	due := time.NewTimer(time.Hour)
	defer due.Stop()
	for {
		due.Reset(l.untilDue())
		var err error
		select {
		case <-ctx.Done():
			return nil
		case b := <-l.batches:
			err = l.absorb(ctx, b)
			b.done <- err
		case r := <-l.requests:
			err = l.serve(ctx, l.gather(r), false)
		case id := <-l.archived:
			err = l.drop(ctx, l.gatherArchived(id))
		case <-due.C:
			err = l.queueDue(ctx)
		case <-sweep.C:
			err = l.sweep(ctx)
			sweep.Reset(l.sweepInterval())
		}
		if err != nil {
			return err
		}
	}
}

func (l *loop) sweepInterval() time.Duration { return jitter(l.opt.LeaseTTL / 5) }

// untilDue is the time until the next delayed job.
func (l *loop) untilDue() time.Duration {
	next, now := time.Hour, l.opt.Clock()
	for _, due := range l.delayed {
		next = min(next, due.Sub(now))
	}
	return max(next, 0)
}

// queueDue gives leases to the jobs whose delay is over.
func (l *loop) queueDue(ctx context.Context) error {
	p := l.newPass()
	for id, due := range l.delayed {
		if due.After(p.now) {
			continue
		}
		delete(l.delayed, id)
		at, _ := l.places.find(id)
		if t := l.trees[at.tree]; t != nil && t.Jobs[id] != nil {
			p.lend(t, t.Jobs[id])
		}
	}
	return l.finish(ctx, p)
}

// absorb works in what the workers said.
func (l *loop) absorb(ctx context.Context, b *batch) error {
	p := l.newPass()
	for _, s := range b.streams {
		p.absorb(s)
	}
	return l.finish(ctx, p)
}
