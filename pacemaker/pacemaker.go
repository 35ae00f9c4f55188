// Package pacemaker is the controller: it takes what people ask, writes it
// down as operations, turns operations into job trees, decides what runs
// where, publishes the routing table and closes what has ended.
//
// A deploy walks through push.go or deploy.go, operation.go, reconcile.go,
// trees.go, release.go, placing.go, publish.go and ending.go, in this order.
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

	"aorta/internal/broadcast"
	"aorta/internal/pki"
	"aorta/internal/profile"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/following"
	"aorta/pacemaker/images"
	"aorta/pacemaker/membership"
	"aorta/pacemaker/nodes"
	"aorta/pacemaker/overview"
	"aorta/pacemaker/routing"
	"aorta/pacemaker/sources"
	"aorta/pacemaker/store"
)

// Config is what a pacemaker is started with.
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
	// ReportEvery is how often nodes report.
	ReportEvery time.Duration
	// KeepReleases is how many of an app's newest releases keep their image and
	// archive; default cluster.KeptReleases.
	KeepReleases int
	// ImagesMaxSize is how many bytes the images of one engine may take before
	// the oldest go that are not in use; 0: any number.
	ImagesMaxSize int64
	// Pacemakers are the addresses of the nodes' API.
	Pacemakers func() []string
	// ShowAt are further ones, where nodes may show where they are, see nodes.Config.
	ShowAt func() []string
	// NodeRemoved takes from a node that is no longer in the cluster what its process
	// can still reach; nil for nothing.
	NodeRemoved func(context.Context, cluster.Node) error
	// Answers says what releases answered in the last minute, see overview.Config.
	Answers func(context.Context, map[cluster.ID]cluster.ID) map[cluster.ID]overview.Answers
	// Ended hears of each operation that has ended, at least once; nil for nobody.
	Ended func(cluster.Operation)
	Now   func() time.Time
	Log   *slog.Logger
}

// Jobs is the keeper of the job trees.
type Jobs interface {
	// Add is idempotent by the root's id.
	Add(ctx context.Context, root jobs.Spec, operation string) error
	Abort(ctx context.Context, id, reason string) error
	// Supersede has other jobs take the place of one, see jobs.Tree; repeating it
	// changes nothing.
	Supersede(ctx context.Context, id string, by []jobs.Spec, reason string) error
	following.Jobs
}

// AppData is what others keep of an app and lose with it: logs, statistics.
type AppData interface {
	Forget(ctx context.Context, app cluster.ID) error
	// Kept are the apps of which something may lie where nobody forgets it.
	Kept() ([]cluster.ID, error)
}

// Parts are what a pacemaker works with.
type Parts struct {
	Store     *store.Store
	Authority *pki.Authority
	Jobs      Jobs
	Table     routing.Table
	Gate      routing.Gate
	Forget    []AppData
	// Registry may be nil where nobody asks for its images, as in tests.
	Registry images.Registry
}

// Pacemaker is one running controller. Make it with New, then Run it. What it
// holds can be used by itself: what nodes ask and say, what people are shown.
type Pacemaker struct {
	Nodes     *nodes.Nodes
	Members   *membership.Membership
	Routers   *routing.Routers
	Sources   *sources.Sources
	Following *following.Following
	Overview  *overview.Overview
	Images    *images.Images

	cfg     Config
	store   *store.Store
	jobs    *keeper
	forget  []AppData
	log     *slog.Logger
	cluster cluster.ID
	epoch   uint64
	table   routing.Table
	publish *routing.Publisher
	missing *missing
	collect *collection

	// planting is held from where an operation is read as open to where its tree is
	// there, or where it is ended without one.
	planting sync.Mutex
	// forming is held from where a formation is read to where its change is written,
	// so that of several relative ones each counts.
	forming sync.Mutex

	changed *broadcast.Signal // SQL, a report or an ack has changed something
	written *broadcast.Signal // SQL has: acks come in a hundred a second
}

// keeper is the keeper of the job trees, once it is there.
type keeper struct{ Jobs }

// New makes the pacemaker of the cluster with its epoch.
func New(cfg Config, parts Parts, id cluster.ID, epoch uint64) *Pacemaker {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Answers == nil {
		cfg.Answers = func(context.Context, map[cluster.ID]cluster.ID) map[cluster.ID]overview.Answers { return nil }
	}
	if cfg.Pacemakers == nil {
		cfg.Pacemakers = func() []string { return nil }
	}
	if cfg.NodeRemoved == nil {
		cfg.NodeRemoved = func(context.Context, cluster.Node) error { return nil }
	}
	if cfg.KeepReleases == 0 {
		cfg.KeepReleases = cluster.KeptReleases
	}
	p := &Pacemaker{
		cfg: cfg, store: parts.Store, jobs: &keeper{parts.Jobs}, forget: parts.Forget, log: cfg.Log,
		cluster: id, epoch: epoch, table: parts.Table, missing: newMissing(), collect: newCollection(), changed: broadcast.New(), written: broadcast.New(),
	}
	started := cfg.Now()
	routes := routing.Config{
		Store: parts.Store, Table: parts.Table, Gate: parts.Gate, Epoch: epoch, Silence: cfg.RouterSilence,
		Started: started, Changed: p.changed, Now: cfg.Now, Log: cfg.Log,
	}
	p.Routers = routing.NewRouters(routes)
	p.publish = routing.NewPublisher(routes, p.Routers)
	p.Nodes = nodes.New(nodes.Config{
		Store: parts.Store, Routes: p.publish, Routers: p.Routers, Epoch: epoch, DeadAfter: cfg.DeadAfter, DrainLimit: cfg.DrainLimit,
		Started: started, Changed: p.rerouted, Lost: p.nodeLost, ShowAt: cfg.ShowAt, Now: cfg.Now, Log: cfg.Log,
	})
	p.Members = membership.New(membership.Config{
		Store: parts.Store, Authority: parts.Authority, Nodes: p.Nodes, Cluster: id, DeadAfter: cfg.DeadAfter,
		Pacemakers: cfg.Pacemakers, Waiting: p.waitingFor, Abort: p.abort, Changed: p.rerouted, Removed: cfg.NodeRemoved, Now: cfg.Now, Log: cfg.Log,
	})
	p.Sources = sources.New(sources.Config{Store: parts.Store, ReposDir: cfg.ReposDir, Dir: cfg.SourcesDir, Cluster: id, KeepReleases: cfg.KeepReleases, Now: cfg.Now})
	p.Images = images.New(images.Config{
		Store: parts.Store, Registry: parts.Registry, KeepReleases: cfg.KeepReleases, MaxSize: cfg.ImagesMaxSize, Changed: p.imagesReported, Now: cfg.Now,
	})
	p.Following = following.New(following.Config{Store: parts.Store, Jobs: p.jobs, Written: p.written, Now: cfg.Now})
	p.Overview = overview.New(overview.Config{
		Store: parts.Store, Nodes: p.Nodes, Routers: p.Routers, Publisher: p.publish, NoRoom: p.missing.noRoom, NextTry: p.missing.nextTry, Answers: cfg.Answers, ReportEvery: cfg.ReportEvery, Started: started, Now: cfg.Now,
	})
	return p
}

// SetJobs gives the pacemaker its keeper, which in turn calls its TreeEnded.
func (p *Pacemaker) SetJobs(j Jobs) { p.jobs.Jobs = j }

// Cluster is the cluster's id.
func (p *Pacemaker) Cluster() cluster.ID { return p.cluster }

// Epoch is this start's epoch.
func (p *Pacemaker) Epoch() uint64 { return p.epoch }

// Store is the state, for those who only read it.
func (p *Pacemaker) Store() *store.Store { return p.store }

// announce wakes whoever waits for something in SQL, and has the apps of which
// something changed checked for missing instances.
func (p *Pacemaker) announce(apps ...cluster.ID) {
	p.missing.mark(apps...)
	p.changed.Notify()
	p.written.Notify()
}

// checkAll has all apps checked at once for what they lack and for what is to move.
func (p *Pacemaker) checkAll() {
	p.missing.markAll()
	p.changed.Notify()
	p.written.Notify()
}

// rerouted announces what the routes may follow.
func (p *Pacemaker) rerouted(apps ...cluster.ID) {
	p.publish.Wake()
	p.announce(apps...)
}

// Run works until ctx ends or a loop dies, whose name the error carries.
func (p *Pacemaker) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for name, loop := range map[string]func(context.Context) error{
		"publisher":  p.publish.Run,
		"reconciler": p.reconcileLoop,
		"liveness":   p.Nodes.Watch,
	} {
		group.Go(func() error {
			if err := profile.Part(ctx, name, loop); err != nil && ctx.Err() == nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		})
	}
	return group.Wait()
}
