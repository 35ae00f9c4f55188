package nodes

import (
	"sync"

	"aorta/pacemaker/cluster"
)

// refusals are why nodes were refused since they were heard last. They live in memory.
type refusals struct {
	mu sync.Mutex // guards of
	of map[cluster.ID]string
}

// Refuses notes why a node is not heard that comes, for people.
func (n *Nodes) Refuses(node cluster.Node, why error) {
	n.refusals.mu.Lock()
	defer n.refusals.mu.Unlock()
	if text := why.Error(); n.refusals.of[node.ID] != text {
		n.refusals.of[node.ID] = text
		n.cfg.Log.Warn("a node is refused", "node", node.Name, "err", why)
	}
}

// Refusal is why a node was refused since it was heard last; "" when it was not.
func (n *Nodes) Refusal(node cluster.ID) string {
	n.refusals.mu.Lock()
	defer n.refusals.mu.Unlock()
	return n.refusals.of[node]
}

// accepted forgets that a node was refused.
func (n *Nodes) accepted(node cluster.ID) {
	n.refusals.mu.Lock()
	defer n.refusals.mu.Unlock()
	delete(n.refusals.of, node)
}
