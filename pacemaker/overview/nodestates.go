package overview

import (
	"fmt"
	"strings"

	"aorta/pacemaker/cluster"
)

// nodeHeld is the state of a node that is ready and gets nothing new for a while.
const nodeHeld = "held"

// nodeStates are the states as they are counted: first what takes instances.
var nodeStates = []string{
	string(cluster.NodeReady), nodeHeld, string(cluster.NodeSuspect), string(cluster.NodeDead), nodeDraining, nodeDrained,
}

// listedState is the node's state as lists of nodes show it.
func (n Node) listedState() string {
	state := n.StateText()
	if state == string(cluster.NodeReady) && !n.HeldUntil.IsZero() {
		return nodeHeld
	}
	return state
}

// NodesReady counts the nodes that lists show as ready.
func (g Snapshot) NodesReady() int { return g.countStates()[string(cluster.NodeReady)] }

// NodesText counts the nodes by their states: "4 of 4 nodes ready", or "4 nodes: 1
// ready, 1 suspect, 2 drained".
func (g Snapshot) NodesText() string {
	counts := g.countStates()
	if counts[string(cluster.NodeReady)] == len(g.Nodes) {
		return fmt.Sprintf("%d of %[1]d nodes ready", len(g.Nodes))
	}
	var parts []string
	for _, state := range nodeStates {
		if n := counts[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	noun := "nodes"
	if len(g.Nodes) == 1 {
		noun = "node"
	}
	return fmt.Sprintf("%d %s: %s", len(g.Nodes), noun, strings.Join(parts, ", "))
}

func (g Snapshot) countStates() map[string]int {
	counts := map[string]int{}
	for _, n := range g.Nodes {
		counts[n.listedState()]++
	}
	return counts
}
