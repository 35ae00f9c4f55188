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
	leases    map[string]*lease        // by job id: queued or running
	delayed   *agenda                  // jobs that are ready, but not before
	slots     map[string]time.Time     // the last one of each periodic tree
	ending    map[string]bool          // trees that OnEnd is asked to take
	late      map[jobs.Queue]time.Time // where a worker may beat for a lease that was taken back, and until when that is purged
	retry     []*request               // failed once for Redis' sake
	refused   refusals                 // told of, by out stream
	outdated  refusals                 // likewise
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
	running   bool      // its start was reported
	delivered bool      // a worker took the entry, nothing was heard yet
	cancelled bool      // its worker was asked to end it
	beat      string    // the counter, as last seen
	seen      time.Time // when the counter last moved, or the lease began
	started   time.Time // when its start was reported here
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
		delayed: newAgenda(), slots: map[string]time.Time{}, late: map[jobs.Queue]time.Time{}, ending: map[string]bool{},
		refused: refusals{}, outdated: refusals{},
	}
}

// run reads everything, then follows events; after any error it begins anew,
// because what is in memory may not be what is stored.
func (l *loop) run(ctx context.Context) error {
	wait := newBackoff()
	for ctx.Err() == nil {
		err := l.resync(ctx)
		if err == nil {
			wait.Reset()
			err = l.follow(ctx)
		}
		if errors.Is(err, ErrFenced) {
			return err
		}
		if err != nil && ctx.Err() == nil {
			l.opt.Log.Warn("the jobs Redis failed; reading everything anew", "error", err)
			wait.Pause(ctx)
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
		resting, swept := len(l.leases) == 0, false
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
			err, swept = l.sweep(ctx), true
		}
		if err != nil {
			return err
		}
		if swept || resting && len(l.leases) > 0 {
			sweep.Reset(l.sweepInterval())
		}
	}
}

// sweepInterval is longer while there is no lease to judge: then a sweep only
// checks whether the jobs are still this keeper's.
func (l *loop) sweepInterval() time.Duration {
	if l.opt.sweep > 0 {
		return l.opt.sweep
	}
	if len(l.leases) == 0 {
		return jitter(2 * l.opt.LeaseTTL)
	}
	return jitter(l.opt.LeaseTTL / 5)
}

// untilDue is the time until the next delayed job or periodic tree.
func (l *loop) untilDue() time.Duration {
	now := l.opt.Clock()
	wait := l.untilSlot(now)
	if at, ok := l.delayed.next(); ok {
		wait = min(wait, at.Sub(now))
	}
	return max(wait, 0)
}

// queueDue gives leases to the jobs whose delay is over, and adds the periodic
// trees whose slot has come.
func (l *loop) queueDue(ctx context.Context) error {
	p := l.newPass()
	for _, id := range l.delayed.popDue(p.now) {
		at, _ := l.locations.find(id)
		if t := l.trees[at.tree]; t != nil && t.Jobs[id] != nil {
			p.lend(t, t.Jobs[id])
		}
	}
	p.addSlots()
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
