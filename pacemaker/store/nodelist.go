package store

import (
	"context"
	"sync"
	"time"

	"aorta/pacemaker/cluster"
)

// rereadNodes is how often nodes are read although none was written here: somebody may
// have mended something there by hand.
const rereadNodes = 10 * time.Second

// nodeList is the nodes since one of them was written last: each call of each node
// asks for it.
type nodeList struct {
	mu   sync.Mutex // guards last, and is held while it is read
	last knownNodes
}

// knownNodes are the nodes at one moment; who gets them changes nothing of them.
type knownNodes struct {
	reads  uint64 // of the list, this one included
	writes uint64 // of nodes, before they were read
	at     time.Time
	nodes  []cluster.Node // by name
	byKey  map[string]int // of nodes, by the hash of their key; nil before the first
}

func (n *nodeList) now(ctx context.Context, s *Store) (knownNodes, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	writes, now := s.writer.nodes.count.Load(), s.now() // before reading, so that no change is missed
	if n.last.byKey != nil && n.last.writes == writes && now.Sub(n.last.at) < rereadNodes {
		return n.last, nil
	}
	nodes, err := s.readNodes(ctx)
	if err != nil {
		return knownNodes{}, err
	}
	n.last = knownNodes{reads: n.last.reads + 1, writes: writes, at: now, nodes: nodes, byKey: make(map[string]int, len(nodes))}
	for i, node := range nodes {
		n.last.byKey[node.KeyHash] = i
	}
	return n.last, nil
}

// NodeList gives the nodes, by name, for who changes nothing of them, and a number that
// is another one when they have been read anew: what follows from them follows until then.
func (s *Store) NodeList(ctx context.Context) ([]cluster.Node, uint64, error) {
	list, err := s.nodes.now(ctx, s)
	return list.nodes, list.reads, err
}
