package nodes

import (
	"context"
	"sync"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// members gives the nodes of the cluster, and what follows from where they are, as they
// are since one changed last: each report of each node asks for it.
type members struct {
	store   *store.Store
	origins *origins

	mu   sync.Mutex // guards what follows, and is held while it is read
	last *membership
}

// membership is the nodes at one moment. Who gets it changes nothing of it.
type membership struct {
	reads, moves uint64 // of nodes, and of their origins

	list       []cluster.Node // by name
	claims     cluster.Claims
	neighbours cluster.Neighbours
	revisions  map[cluster.ID]int
}

func (m *members) now(ctx context.Context) (*membership, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	list, reads, err := m.store.NodeList(ctx)
	if err != nil {
		return nil, err
	}
	if m.last != nil && m.last.reads == reads && m.last.moves == m.origins.moves() {
		return m.last, nil
	}
	from, moves := m.origins.known()
	next := &membership{reads: reads, moves: moves, list: list, claims: cluster.NewClaims(list, from), revisions: make(map[cluster.ID]int, len(list))}
	next.neighbours = next.claims.Neighbours()
	for _, n := range list {
		next.revisions[n.ID] = n.Revision
	}
	m.last = next
	return next, nil
}
