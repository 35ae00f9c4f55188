// Package nodes is what the pacemaker and its nodes exchange: sessions and
// reports, what a report changes in SQL, what the answer asks of a node, and
// the specs of what it runs. What runs where is not decided here.
package nodes

import (
	"context"
	"crypto/rand"
	"log/slog"
	"time"

	"aorta/pacemaker/cluster"
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
	// Changed is called with the apps of which a report has changed something
	// in SQL.
	Changed func(apps ...cluster.ID)
	Now     func() time.Time
	Log     *slog.Logger
}

// Nodes are those of the cluster, as far as they report. Make them with New.
type Nodes struct {
	cfg      Config
	sessions *sessions
}

// New makes them; none has a session yet.
func New(cfg Config) *Nodes { return &Nodes{cfg: cfg, sessions: newSessions(cfg)} }

// Create makes a node's identity; its token is shown this once.
func (n *Nodes) Create(ctx context.Context, name string, roles []cluster.Role, user string) (cluster.Node, string, error) {
	if err := cluster.ValidateNodeName("name", name); err != nil {
		return cluster.Node{}, "", err
	}
	node := cluster.Node{ID: cluster.NewID(), Name: name, Roles: roles}
	token := cluster.NodeToken(node.ID, rand.Text())
	return node, token, n.cfg.Store.CreateNode(ctx, node, store.HashToken(token), user)
}
