package overview

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"aorta/pacemaker/cluster"
)

// quiet says whether a node that reports each so often is missed: one and a half times
// that. By then it may be lost, where something else says so too.
func quiet(silence, reportEvery time.Duration) bool { return silence >= reportEvery*3/2 }

// reaches says whether a router that reports has not lost another node.
func (n Node) reaches(to Node) bool {
	return !slices.ContainsFunc(n.Router.Lost, func(at string) bool { return strings.Trim(at, "[]") == to.Address })
}

// unreachedBy names the other nodes whose routers do not reach a node.
func (g Snapshot) unreachedBy(to Node) []string {
	var names []string
	for _, from := range g.Nodes {
		if from.ID != to.ID && !from.Unheard && !from.reaches(to) {
			names = append(names, from.Name)
		}
	}
	return names
}

// mayBeLost says that a node which is not dead is quiet as a whole, its router or the
// others' routers being witnesses. What they see is one event, and has one concern.
func (g Snapshot) mayBeLost(n Node) bool {
	return !n.Unheard && n.Quiet && (n.RouterSilent || len(g.unreachedBy(n)) > 0)
}

// maybeLost are the concerns of nodes that may be lost. While many are silent, that one
// is has been said.
func (g Snapshot) maybeLost() []Concern {
	var out []Concern
	for _, n := range g.Nodes {
		if !g.mayBeLost(n) || g.Guarded && n.State != cluster.NodeReady {
			continue
		}
		c := Concern{Severity: SeverityWarn, Kind: "node", ID: string(n.ID), Node: n.Name}
		if n.RouterSilent {
			c.Severity = SeverityBad
		}
		if n.HeardAt != nil {
			c.Since = *n.HeardAt
		}
		text := "nobody hears it"
		switch names := g.unreachedBy(n); {
		case len(names) == 1:
			text += fmt.Sprintf(", and %s does not reach it", names[0])
		case len(names) > 1:
			text += fmt.Sprintf(", and %s do not reach it", cluster.And(names))
		}
		c.Text = fmt.Sprintf("Node %s may be lost: %s. Check aortad and the network there.", n.Name, text)
		out = append(out, c)
	}
	return out
}
