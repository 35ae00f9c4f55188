// Package pacemaker is the controller: it takes what people ask, writes it
// down as operations, turns operations into job trees, decides what runs
// where, publishes the routing table and closes what has ended.
//
// It speaks to hearts, routers and builders only through jobs and reports, and
// the data plane does not wait for it: when it is away, everyone else assumes
// that nothing changed. It serves no HTTP (package web does) and knows no SQL
// (package store does).
package pacemaker

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// Config is what a pacemaker is told.
type Config struct {
	Domain     string // cluster domain; app NAME is served at NAME.Domain
	OwnHost    string // where browsers reach the dashboard; no app may have it
	RouterURL  string // how browsers reach a router: "http://%s:8080", %s the host
	ReposDir   string // bare repositories, one per app id
	SourcesDir string // uploaded archives, one per build id
	// DrainLimit is how long requests in flight on an instance may take before
	// it gets its SIGTERM all the same.
	DrainLimit time.Duration
	// RouterSilence is how long a router may be silent before a publish stops
	// waiting for it.
	RouterSilence time.Duration
	// DeadAfter is how long a node may be silent before it counts as unheard.
	DeadAfter time.Duration
	Now       func() time.Time
	Log       *slog.Logger
}

// Jobs is the keeper of the job trees.
type Jobs interface {
	// Add is idempotent by the root's id.
	Add(ctx context.Context, root jobs.Spec, operation string) error
	Abort(ctx context.Context, id, reason string) error
	// Tree gives jobs.ErrNotFound for a tree that is not there.
	Tree(ctx context.Context, id string) (*jobs.Tree, error)
	// Log gives the lines of a job's log after the cursor.
	Log(ctx context.Context, job, after string) ([]JobLine, error)
	// Watch tells of changes until ctx ends. Events only wake: whoever watches
	// reads again what matters.
	Watch(ctx context.Context) <-chan JobEvent
}

// JobLine is one line of a job's log. Cursor asks for what comes after it.
type JobLine struct {
	Cursor string
	Time   time.Time
	Text   string
}

// JobEvent says that a tree has changed, or that a job has new log lines. An
// empty one says that anything may have.
type JobEvent struct {
	Tree string
	Log  string // id of the job
}

// concerns says whether the event may be about the tree.
func (e JobEvent) concerns(t *jobs.Tree) bool {
	switch {
	case e.Log != "":
		return t != nil && t.Jobs[e.Log] != nil
	case e.Tree != "":
		return t == nil || e.Tree == t.ID
	}
	return true
}

// AppData is what others keep of an app and lose with it: logs, statistics.
type AppData interface {
	Forget(ctx context.Context, app cluster.ID) error
}

// Parts are what a pacemaker works with.
type Parts struct {
	Store  *store.Store
	Jobs   Jobs
	Table  Table
	Gate   Gate
	Forget []AppData
}

// Pacemaker is one running controller. Make it with New, then Run it.
type Pacemaker struct {
	cfg     Config
	store   *store.Store
	jobs    Jobs
	forget  []AppData
	log     *slog.Logger
	cluster cluster.ID
	epoch   uint64
	started time.Time

	bell    *bell // rings when SQL, a report or an ack has changed something
	todo    *bell // rings when SQL has: acks come in a hundred a second
	routers *routers
	hearts  *hearts
	publish *publisher
}

// New makes the pacemaker of the cluster with its epoch.
func New(cfg Config, parts Parts, id cluster.ID, epoch uint64) *Pacemaker {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	p := &Pacemaker{
		cfg: cfg, store: parts.Store, jobs: parts.Jobs, forget: parts.Forget, log: cfg.Log,
		cluster: id, epoch: epoch, started: cfg.Now(), bell: newBell(), todo: newBell(),
	}
	p.routers = newRouters(cfg, p.started, p.bell)
	p.hearts = newHearts(cfg)
	p.publish = newPublisher(parts, cfg, epoch, p.routers)
	return p
}

// SetJobs gives the pacemaker its keeper, which in turn calls its TreeEnded.
func (p *Pacemaker) SetJobs(j Jobs) { p.jobs = j }

// Cluster is the cluster's id.
func (p *Pacemaker) Cluster() cluster.ID { return p.cluster }

// Epoch is this start's epoch.
func (p *Pacemaker) Epoch() uint64 { return p.epoch }

// Store is the state, for those who only read it.
func (p *Pacemaker) Store() *store.Store { return p.store }

// announce wakes whoever waits for something in SQL.
func (p *Pacemaker) announce() {
	p.bell.ring()
	p.todo.ring()
}

// Run works until ctx ends or a loop dies, whose name the error carries.
func (p *Pacemaker) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for name, loop := range map[string]func(context.Context) error{
		"publisher":  p.publish.Run,
		"reconciler": p.reconcileLoop,
	} {
		group.Go(func() error {
			if err := loop(ctx); err != nil && ctx.Err() == nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// bell wakes everyone who waits for a change; what changed they read anew.
type bell struct {
	mu sync.Mutex    // guards ch
	ch chan struct{} // closed by the next ring
}

func newBell() *bell { return &bell{ch: make(chan struct{})} }

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.ch)
	b.ch = make(chan struct{})
}

func (b *bell) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ch
}

// until asks cond now, after each ring and each second, and gives nil once it
// holds. The error of cond, or the context's cause, ends it earlier.
func (b *bell) until(ctx context.Context, cond func() (bool, error)) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		rung := b.wait()
		done, err := cond()
		if err != nil || done {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-rung:
		case <-tick.C:
		}
	}
}
