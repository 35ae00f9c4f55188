// Package routing brings the routing table to the routers: it makes the table
// from SQL, publishes what changed, and knows by which table each router
// answers. Traffic is not decided here but in SQL, by who promotes a release.
package routing

import (
	"context"
	"errors"
	"sync"
	"time"

	"aorta/internal/pause"
	"aorta/internal/tick"
	"aorta/pacemaker/cluster"
	"aorta/router"
)

// publishEvery is the shortest time between two publishes: changes that come
// together go out together.
const publishEvery = 50 * time.Millisecond

// checkEvery is how often it is looked whether the master still holds the table.
const checkEvery = time.Second

// rereadEvery is how often SQL is read although nothing was written here:
// somebody may have mended something there by hand.
const rereadEvery = 30 * time.Second

// Table is the routing table in the routes Redis, written by one Publisher.
type Table interface {
	Claim(ctx context.Context, epoch uint64) error
	Publish(ctx context.Context, pair router.Pair, changed []router.Record, removed []string) error
	Replace(ctx context.Context, pair router.Pair, table router.Table) error
	DropTombstones(ctx context.Context, now time.Time) error
}

// Gate lets replicas read from the routes master. It is closed at each start of
// the master, so that an empty one empties no replica.
type Gate interface {
	RunID(ctx context.Context) (string, error)
	// OpenGate refuses when the master is not the one of that run any more.
	OpenGate(ctx context.Context, runID string) error
}

// Publisher brings the routing table to what SQL says: batched, in order, one
// publish at a time. After any error it no longer trusts what it knows and
// replaces the whole table before it goes on.
type Publisher struct {
	cfg     Config
	routers *Routers
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
	read  reading
}

// reading says when SQL was compared with last, and found to say the same.
type reading struct {
	commits uint64 // of the store, by then
	at      time.Time
}

// exposure is the set of instances in one published table.
type exposure struct {
	pair router.Pair
	set  map[cluster.ID]bool
	at   time.Time
}

// NewPublisher makes one; Run starts it.
func NewPublisher(cfg Config, r *Routers) *Publisher {
	return &Publisher{cfg: cfg, routers: r, dirty: make(chan struct{}, 1), done: make(chan struct{})}
}

// Run publishes at once, then after each Sync, and checks on a tick that the
// master still holds what was published.
func (p *Publisher) Run(ctx context.Context) error {
	failing := false
	for {
		err := p.turn(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, router.ErrFenced):
			return err
		case err != nil && !failing:
			p.cfg.Log.Error("the routing table can't be published; routers serve the last one", "err", err)
		case err == nil && failing:
			p.cfg.Log.Info("the routing table is published again")
		}
		failing = err != nil
		if !p.rest(ctx) {
			return nil
		}
	}
}

// rest waits for the next reason to publish, and lets changes gather that come soon
// after the last.
func (p *Publisher) rest(ctx context.Context) bool {
	soonest := time.Now().Add(publishEvery)
	select {
	case <-ctx.Done():
		return false
	case <-p.dirty:
		return pause.For(ctx, time.Until(soonest))
	case <-time.After(tick.Until(checkEvery)):
		return true
	}
}

func (p *Publisher) turn(ctx context.Context) error {
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
func (p *Publisher) bring(ctx context.Context) error {
	runID, err := p.cfg.Gate.RunID(ctx)
	if err != nil {
		return err
	}
	if runID != p.runID {
		return p.replace(ctx, runID)
	}
	commits := p.cfg.Store.Commits() // before reading, so that no change is missed
	if commits == p.read.commits && time.Since(p.read.at) < rereadEvery {
		return nil
	}
	st, err := p.cfg.Store.Routes(ctx)
	if err != nil {
		return err
	}
	if changed, removed := router.Diff(p.last, buildTable(st)); len(changed)+len(removed) == 0 {
		p.read = reading{commits, time.Now()}
		return nil
	}
	if st, err = p.cfg.Store.NextRoutes(ctx); err != nil {
		return err
	}
	table := buildTable(st)
	changed, removed := router.Diff(p.last, table)
	pair := router.Pair{Epoch: p.cfg.Epoch, Generation: st.Generation}
	p.expose(pair, table)
	if err := p.cfg.Table.Publish(ctx, pair, changed, removed); err != nil {
		return err
	}
	p.published(pair, table)
	return nil
}

// replace publishes the whole table to a master that was started anew or may
// hold something else, and then lets the replicas in.
func (p *Publisher) replace(ctx context.Context, runID string) error {
	if err := p.cfg.Table.Claim(ctx, p.cfg.Epoch); err != nil {
		return err
	}
	st, err := p.cfg.Store.NextRoutes(ctx)
	if err != nil {
		return err
	}
	table := buildTable(st)
	pair := router.Pair{Epoch: p.cfg.Epoch, Generation: st.Generation}
	p.expose(pair, table)
	if err := p.cfg.Table.Replace(ctx, pair, table); err != nil {
		return err
	}
	if err := p.cfg.Gate.OpenGate(ctx, runID); err != nil {
		return err
	}
	p.published(pair, table)
	p.runID = runID
	p.cfg.Log.Info("published the whole routing table", "pair", pair.String(), "hosts", len(table))
	return nil
}

// expose notes, before the table can reach any router, which instances it
// names: they count as routed until every router has acked a later table.
func (p *Publisher) expose(pair router.Pair, table router.Table) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.exposures = append(p.exposures, exposure{pair, instancesIn(table), p.cfg.Now()})
}

func (p *Publisher) published(pair router.Pair, table router.Table) {
	p.last = table
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pair = pair
}

// Pair is what is published now.
func (p *Publisher) Pair() router.Pair {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pair
}

// Wake lets the table follow SQL without waiting for it.
func (p *Publisher) Wake() {
	select {
	case p.dirty <- struct{}{}:
	default:
	}
}

// Sync publishes what SQL holds now and gives the pair under which every
// router shows it, or something later.
func (p *Publisher) Sync(ctx context.Context) (router.Pair, error) {
	p.mu.Lock()
	p.asked++
	mine := p.asked
	p.mu.Unlock()
	p.Wake()
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
func (p *Publisher) Routed(id cluster.ID, nodes []cluster.Node) bool {
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

// Behind says of a node's router that reports what it serves in place of a table
// that was published long ago; empty where it keeps up or is silent.
func (p *Publisher) Behind(node cluster.Node) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.exposures) - 1; i >= 0; i-- {
		if e := p.exposures[i]; p.cfg.Now().Sub(e.at) >= patience {
			return p.routers.behind(node, e.pair)
		}
	}
	return ""
}

// Age is for how long a node's router has not answered by a table that was
// published; 0 while it keeps up. It goes on while the router is silent.
func (p *Publisher) Age(node cluster.Node) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.exposures {
		if !p.routers.acked(node.ID, e.pair) {
			return p.cfg.Now().Sub(e.at)
		}
	}
	return 0
}
