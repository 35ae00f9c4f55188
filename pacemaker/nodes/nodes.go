// Package nodes is what the pacemaker and its nodes exchange: sessions and
// reports, what a report changes in SQL, what the answer asks of a node, and
// the specs of what it runs. What runs where is not decided here.
package nodes

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/liveness"
	"aorta/pacemaker/store"
)

// Routes says which instances may still get requests.
type Routes interface {
	Routed(id cluster.ID, nodes []cluster.Node) bool
}

// Routers says when a node's router reported last; false before it has.
type Routers interface {
	HeardAt(node cluster.ID) (time.Time, bool)
}

// Config is what nodes need.
type Config struct {
	Store   *store.Store
	Routes  Routes
	Routers Routers
	Epoch   uint64
	// DeadAfter is how long a node may be silent before it counts as unheard.
	DeadAfter time.Duration
	// DrainLimit is how long requests in flight may hold up a stop.
	DrainLimit time.Duration
	Started    time.Time // of this pacemaker: silence counts from here
	// Lost is called with a node that has become dead, and why.
	Lost func(ctx context.Context, node cluster.Node, why string)
	// Changed is called with the apps of which a report has changed something
	// in SQL.
	Changed func(apps ...cluster.ID)
	// ShowAt are addresses of the nodes' API, beside that where nodes know it, which they
	// may show their own addresses at: those of the other internet protocol.
	ShowAt func() []string
	Now    func() time.Time
	Log    *slog.Logger
}

// Nodes are those of the cluster, as far as they report. Make them with New.
type Nodes struct {
	cfg      Config
	sessions *sessions
	origins  *origins
	refusals refusals
	members  *members
	assigned *assigned
	hellos   sync.Mutex // held while a hello is judged and the node gets its lease

	judging  sync.Mutex // guards all below
	liveness *liveness.Judge
	guarded  bool
}

// New makes them; none has a session yet.
func New(cfg Config) *Nodes {
	from := &origins{of: map[cluster.ID]netip.Addr{}}
	if cfg.Lost == nil {
		cfg.Lost = func(context.Context, cluster.Node, string) {}
	}
	if cfg.ShowAt == nil {
		cfg.ShowAt = func() []string { return nil }
	}
	return &Nodes{
		cfg: cfg, sessions: newSessions(cfg), origins: from, members: &members{store: cfg.Store, origins: from}, refusals: refusals{of: map[cluster.ID]string{}},
		assigned: &assigned{store: cfg.Store, now: cfg.Now, on: map[cluster.ID]assignedOn{}},
		liveness: liveness.New(cfg.DeadAfter, cfg.Started),
	}
}

// Process describes a node's process, as far as one has said hello.
func (n *Nodes) Process(id cluster.ID) (string, bool) { return n.sessions.of(id) }

// Forget ends a node's session.
func (n *Nodes) Forget(id cluster.ID) {
	n.sessions.end(id)
	n.assigned.forget(id)
	n.accepted(id)
}
