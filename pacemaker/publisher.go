package pacemaker

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
	"aorta/router"
)

// publishEvery is the shortest time between two publishes: changes that come
// together go out together.
const publishEvery = 50 * time.Millisecond

// Table is the routing table in the routes Redis, written by one publisher.
type Table interface {
	Claim(ctx context.Context, epoch uint64) error
	Publish(ctx context.Context, pair router.Pair, changed []router.Record, removed []string) error
	Load(ctx context.Context) (router.Table, router.Pair, error)
	Replace(ctx context.Context, pair router.Pair, table router.Table) error
	DropTombstones(ctx context.Context, now time.Time) error
}

// Gate is the routes master's door for replicas, closed at each of its starts
// so that an empty master empties no replica.
type Gate interface {
	RunID(ctx context.Context) (string, error)
	// OpenGate refuses when the master is not the one of that run any more.
	OpenGate(ctx context.Context, runID string) error
}

// publisher brings the routing table to what SQL says: batched, in order, one
// publish at a time. After any error it no longer trusts what it knows and
// replaces the whole table before it goes on.
type publisher struct {
	store   *store.Store
	table   Table
	gate    Gate
	epoch   uint64
	now     func() time.Time
	log     *slog.Logger
	routers *routers
	dirty   chan struct{} // holds one wake-up

	mu        sync.Mutex // guards all below
	asked     uint64     // rises with each Sync
	answered  uint64     // the last asked that a publish covers
	done      chan struct{}
	pair      router.Pair // of what is published
	exposures []exposure  // tables that some router may still serve, oldest first
	settled   bool        // all routers have acked a table of this epoch

	// Only Run's goroutine touches these.
	last  router.Table
	runID string // of the master that holds last; empty: unknown
}

// exposure is the set of instances in one published table.
type exposure struct {
	pair router.Pair
	set  map[cluster.ID]bool
}

func newPublisher(parts Parts, cfg Config, epoch uint64, r *routers) *publisher {
	return &publisher{
		store: parts.Store, table: parts.Table, gate: parts.Gate, epoch: epoch, now: cfg.Now, log: cfg.Log,
		routers: r, dirty: make(chan struct{}, 1), done: make(chan struct{}),
	}
}

// Run publishes at once, then after each Sync, and checks on a tick that the
// master still holds what was published.
func (p *publisher) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	failing := false
	for {
		err := p.turn(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, router.ErrFenced):
			return err
		case err != nil && !failing:
			p.log.Error("the routing table can't be published; routers serve the last one", "err", err)
		case err == nil && failing:
			p.log.Info("the routing table is published again")
		}
		failing = err != nil
		if !p.rest(ctx, tick.C) {
			return nil
		}
	}
}

// rest lets changes gather, then waits for the next reason to publish.
func (p *publisher) rest(ctx context.Context, tick <-chan time.Time) bool {
	gather := time.NewTimer(publishEvery)
	defer gather.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-gather.C:
	}
	select {
	case <-ctx.Done():
		return false
	case <-p.dirty:
	case <-tick:
	}
	return true
}

func (p *publisher) turn(ctx context.Context) error {
	p.mu.Lock()
	covers := p.asked
	p.mu.Unlock()
	if err := p.bring(ctx); err != nil {
		p.runID = ""
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if covers > p.answered {
		p.answered = covers
		close(p.done)
		p.done = make(chan struct{})
	}
	return nil
}

// bring makes the master hold what SQL says.
func (p *publisher) bring(ctx context.Context) error {
	runID, err := p.gate.RunID(ctx)
	if err != nil {
		return err
	}
	if runID != p.runID {
		return p.replace(ctx, runID)
	}
	st, err := p.store.Routes(ctx)
	if err != nil {
		return err
	}
	if changed, removed := router.Diff(p.last, buildTable(st)); len(changed)+len(removed) == 0 {
		return nil
	}
	if st, err = p.store.NextRoutes(ctx); err != nil {
		return err
	}
	table := buildTable(st)
	changed, removed := router.Diff(p.last, table)
	pair := router.Pair{Epoch: p.epoch, Generation: st.Generation}
	p.expose(pair, table)
	if err := p.table.Publish(ctx, pair, changed, removed); err != nil {
		return err
	}
	p.published(pair, table)
	return nil
}

// replace publishes the whole table to a master that was started anew or may
// hold something else, and then lets the replicas in.
func (p *publisher) replace(ctx context.Context, runID string) error {
	if err := p.table.Claim(ctx, p.epoch); err != nil {
		return err
	}
	st, err := p.store.NextRoutes(ctx)
	if err != nil {
		return err
	}
	table := buildTable(st)
	pair := router.Pair{Epoch: p.epoch, Generation: st.Generation}
	p.expose(pair, table)
	if err := p.table.Replace(ctx, pair, table); err != nil {
		return err
	}
	if err := p.gate.OpenGate(ctx, runID); err != nil {
		return err
	}
	p.published(pair, table)
	p.runID = runID
	p.log.Info("published the whole routing table", "pair", pair.String(), "hosts", len(table))
	return nil
}

// expose notes, before the table can reach any router, which instances it
// names: they count as routed until every router has acked a later table.
func (p *publisher) expose(pair router.Pair, table router.Table) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.exposures = append(p.exposures, exposure{pair, instancesIn(table)})
}

func (p *publisher) published(pair router.Pair, table router.Table) {
	p.last = table
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pair = pair
}

// Pair is what is published now.
func (p *publisher) Pair() router.Pair {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pair
}

// wake lets the table follow SQL without waiting for it.
func (p *publisher) wake() {
	select {
	case p.dirty <- struct{}{}:
	default:
	}
}

// Sync publishes what SQL holds now and gives the pair under which every
// router shows it, or something later.
func (p *publisher) Sync(ctx context.Context) (router.Pair, error) {
	p.mu.Lock()
	p.asked++
	mine := p.asked
	p.mu.Unlock()
	p.wake()
	for {
		p.mu.Lock()
		pair, answered, done := p.pair, p.answered, p.done
		p.mu.Unlock()
		if answered >= mine {
			return pair, nil
		}
		select {
		case <-ctx.Done():
			return router.Pair{}, context.Cause(ctx)
		case <-done:
		}
	}
}

// Routed says whether any router may still send requests to the instance. At
// first nothing is known, and everything counts as routed.
func (p *publisher) Routed(id cluster.ID, nodes []cluster.Node) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.exposures) - 1; i >= 0; i-- {
		if done, _ := p.routers.allAcked(nodes, p.exposures[i].pair); done {
			p.exposures = p.exposures[i:]
			p.settled = true
			break
		}
	}
	if !p.settled {
		return true
	}
	for _, e := range p.exposures {
		if e.set[id] {
			return true
		}
	}
	return false
}
