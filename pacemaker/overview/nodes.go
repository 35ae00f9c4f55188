package overview

import (
	"context"
	"time"

	"aorta/pacemaker/cluster"
)

// Node is one node as it is.
type Node struct {
	cluster.Node
	Instances int // on it, that have not ended
	Wanted    int // of those, that are to run, as far as a snapshot was taken
	Unheard   bool
	Refused   string    // why it was refused since it was heard last; empty when it was not
	HeldUntil time.Time // it gets nothing new before that, while others have room; zero: it does
	// What this pacemaker heard of it last; nil and 0 before it heard anything.
	Score      *float64
	Load       *cluster.Load
	TagSources map[string]cluster.TagSource // of its tags, without those that were set
	HeardAt    *time.Time
	HeardAgo   time.Duration
	Quiet      bool // its daemon has missed a report, or has made none to this pacemaker
	// RouterSilent says that it has a router, which does not report.
	RouterSilent bool
	// RouterBehind says what its router serves in place of a table that was
	// published long ago; empty where it keeps up.
	RouterBehind string
	Router       cluster.RouterReport // the last one; zero before it
	TableAge     time.Duration        // for how long its router has lacked a published table
	Unknown      []cluster.ID         // instances on it that no app has
	Parts        []Part               // as it reported them last
	SaysAt       string               // where it says that its instances are, if it has not shown that
	Unshown      []string             // addresses that it says its machine has, and has not shown
	HeardFrom    string               // where its connections come from; empty: from the pacemaker's machine, or not known
}

// Part is one of a node's parts, out of order since a time.
type Part struct {
	cluster.Part
	Since time.Time
}

// The states of a node that is emptied, and of one that was.
const (
	nodeDraining = "draining"
	nodeDrained  = "drained"
)

// StateText is the node's state in a word, with its drain where it is heard.
func (n Node) StateText() string {
	switch {
	case n.Lost():
		return string(cluster.NodeDead)
	case n.Unheard || n.State == cluster.NodeSuspect:
		return string(cluster.NodeSuspect)
	case n.Draining && n.Instances == 0:
		return nodeDrained
	case n.Draining:
		return nodeDraining
	}
	return string(n.State)
}

// Since is when the node came to be dead, or was heard last where it is silent; nil
// where it is heard, or where that is not known.
func (n Node) Since() *time.Time {
	switch {
	case n.Lost() && !n.LostAt.IsZero():
		return &n.LostAt
	case n.StateText() == string(cluster.NodeSuspect):
		return n.HeardAt
	}
	return nil
}

// Nodes are all nodes as they are, by name.
func (o *Overview) Nodes(ctx context.Context) ([]Node, error) {
	list, err := o.cfg.Store.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	counts, err := o.instancesByNode(ctx)
	nodes := make([]Node, 0, len(list))
	for _, n := range list {
		nodes = append(nodes, o.node(n, counts[n.ID]))
	}
	return nodes, err
}

// Node is one node as it is.
func (o *Overview) Node(ctx context.Context, n cluster.Node) (Node, error) {
	counts, err := o.instancesByNode(ctx)
	return o.node(n, counts[n.ID]), err
}

func (o *Overview) instancesByNode(ctx context.Context) (map[cluster.ID]int, error) {
	list, err := o.cfg.Store.Instances(ctx, "")
	counts := map[cluster.ID]int{}
	for _, in := range list {
		if !in.State.Ended() {
			counts[in.NodeID]++
		}
	}
	return counts, err
}

func (o *Overview) node(n cluster.Node, instances int) Node {
	g := Node{Node: n, Instances: instances, Quiet: true, Unheard: o.cfg.Nodes.Unheard(n), Refused: o.cfg.Nodes.Refusal(n.ID), HeldUntil: o.cfg.Nodes.HeldUntil(n)}
	g.RouterSilent = n.Has(cluster.RoleRouter) && o.cfg.Routers.Silent(n.ID)
	if n.Has(cluster.RoleRouter) {
		g.TableAge = o.cfg.Publisher.Age(n)
	}
	if n.Has(cluster.RoleRouter) && !g.RouterSilent {
		g.RouterBehind = o.cfg.Publisher.Behind(n)
		g.Router, _ = o.cfg.Routers.Report(n.ID)
	}
	if h, said := o.cfg.Nodes.Heard(n); said {
		at := o.cfg.Now().Add(-h.Ago)
		g.Score, g.Load, g.HeardAt, g.HeardAgo, g.Unknown, g.TagSources = &h.Load.Score, &h.Load, &at, h.Ago, h.Unknown, h.TagSources
		g.Quiet = quiet(h.Ago, o.cfg.ReportEvery)
		g.SaysAt, g.Unshown, g.HeardFrom = h.Address, h.Unshown, h.From
		for _, p := range h.Parts {
			g.Parts = append(g.Parts, Part{p, at.Add(-p.Ago)})
		}
	}
	return g
}
