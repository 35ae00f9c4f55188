// Package overview shows the cluster as it is: apps and nodes in numbers, what is
// wrong with the next step for it, and the state of the whole in one word. It
// only reads.
package overview

import (
	"context"
	"time"

	"aorta/pacemaker/cluster"
)

// App is one app as it is.
type App struct {
	cluster.App
	Summary
	Verdict
	Unheard   bool    // all that ran of it is on silent nodes, which is those nodes' concern
	Answers   Answers // of the release that serves; zero where they are not known
	NoRoom    []NoRoom
	InDoubt   []InDoubt
	NextTry   time.Time          // when failing instances are replaced; zero when nothing holds that up
	Operation *cluster.Operation // whose turn it is
}

// NoRoom is what of a process type finds no node.
type NoRoom struct {
	Type   string
	Count  int
	Reason string // of each node
	Next   string // what may be done
	Since  time.Time
	// Instance is one that runs and is to run elsewhere, on Node; empty: it runs nowhere.
	Instance  string
	Node      cluster.ID
	NodeName  string
	Displaced bool // its node has another address now
}

// Snapshot is the cluster as it is.
type Snapshot struct {
	Apps       []App  // by name
	Nodes      []Node // by name
	Open       []cluster.Operation
	Attention  []cluster.Operation // newest first, at most store.AttentionLimit
	Guarded    bool                // so many nodes are silent that none is replaced
	LastChange time.Time           // when the newest running instance came to run
}

// Snapshot reads the whole cluster, in a handful of queries.
func (o *Overview) Snapshot(ctx context.Context) (Snapshot, error) {
	v, err := o.cfg.Store.Snapshot(ctx)
	if err != nil {
		return Snapshot{}, err
	}
	g := Snapshot{Guarded: o.cfg.Nodes.Guarded(), Open: v.Open, Attention: v.Attention, LastChange: o.cfg.Started}
	answers := o.answers(ctx, v)
	for _, app := range v.Apps {
		g.Apps = append(g.Apps, o.app(app, v, answers[app.ID]))
	}
	counts, wanted := map[cluster.ID]int{}, map[cluster.ID]int{}
	for _, list := range v.Instances {
		for _, in := range list {
			if !in.State.Ended() {
				counts[in.NodeID]++
			}
			if in.State.Wanted() {
				wanted[in.NodeID]++
			}
			if in.Serves() && in.StartedAt != nil && in.StartedAt.After(g.LastChange) {
				g.LastChange = *in.StartedAt
			}
		}
	}
	for _, n := range v.Nodes {
		node := o.node(n, counts[n.ID])
		node.Wanted = wanted[n.ID]
		g.Nodes = append(g.Nodes, node)
	}
	return g, nil
}
