// Package membership is who belongs to the cluster: tokens that machines join with, the
// keys that are signed, and the end of a node.
package membership

import (
	"context"
	"log/slog"
	"time"

	"aorta/internal/pki"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// Nodes are those that report.
type Nodes interface {
	// Unheard says that a node has been silent for longer than the limit.
	Unheard(cluster.Node) bool
	// Process describes a node's process, as far as one has said hello.
	Process(cluster.ID) (string, bool)
	// Forget ends a node's session.
	Forget(cluster.ID)
}

// Config is what membership needs.
type Config struct {
	Store     *store.Store
	Authority *pki.Authority // signs the nodes' keys
	Nodes     Nodes
	Cluster   cluster.ID
	DeadAfter time.Duration // after which a silent node counts as unheard
	// Pacemakers are the addresses of the nodes' API, for those that join.
	Pacemakers func() []string
	// Waiting are the open operations that need a node to go on.
	Waiting func(context.Context, cluster.Node) ([]cluster.Operation, error)
	// Abort ends an open operation.
	Abort func(ctx context.Context, op cluster.Operation, reason string) error
	// Changed is called with the apps of which instances are gone.
	Changed func(apps ...cluster.ID)
	// Removed is called with a node that is no longer in the cluster, to take from
	// it what its process can still reach.
	Removed func(context.Context, cluster.Node) error
	Now     func() time.Time
	Log     *slog.Logger
}

// Membership is that of one cluster. Make it with New.
type Membership struct{ cfg Config }

// New makes it.
func New(cfg Config) *Membership { return &Membership{cfg} }
