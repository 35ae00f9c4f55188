package overview

import (
	"testing"
	"time"

	"aorta/pacemaker/cluster"
)

// What is counted as ready is what lists of nodes show as ready.
func TestSnapshot_CountsNodesAsListsShowThem(t *testing.T) {
	ready := Node{Node: cluster.Node{State: cluster.NodeReady}}
	held, suspect, dead, draining, drained := ready, ready, ready, ready, ready
	held.HeldUntil = time.Unix(1000, 0)
	suspect.Unheard = true
	dead.State = cluster.NodeDead
	draining.Draining, draining.Instances = true, 1
	drained.Draining = true
	for want, c := range map[string]struct {
		nodes []Node
		ready int
	}{
		"2 of 2 nodes ready":       {[]Node{ready, ready}, 2},
		"1 node: 1 drained":        {[]Node{drained}, 0},
		"2 nodes: 1 ready, 1 held": {[]Node{held, ready}, 1},
		"6 nodes: 1 ready, 1 suspect, 1 dead, 1 draining, 2 drained": {[]Node{drained, draining, dead, suspect, ready, drained}, 1},
	} {
		g := Snapshot{Nodes: c.nodes}

		if got := g.NodesText(); got != want || g.NodesReady() != c.ready {
			t.Errorf("got %q with %d ready, want %q with %d", got, g.NodesReady(), want, c.ready)
		}
	}
}
