package nodes

import (
	"errors"
	"maps"
	"net/netip"
	"sync"

	"aorta/pacemaker/cluster"
)

// origins are where nodes connect from. They live in memory.
type origins struct {
	mu      sync.Mutex // guards what follows
	of      map[cluster.ID]netip.Addr
	changes uint64
}

// ComesFrom notes where a node connects from; a loopback address for one on this machine.
func (n *Nodes) ComesFrom(node cluster.ID, from netip.Addr) {
	n.origins.mu.Lock()
	defer n.origins.mu.Unlock()
	if n.origins.of[node] != from {
		n.origins.of[node] = from
		n.origins.changes++
	}
}

// at is where a node connects from; none before it did.
func (o *origins) at(node cluster.ID) netip.Addr {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.of[node]
}

// leave forgets that nodes connected from an address, until they do so again.
func (o *origins) leave(nodes []cluster.ID, from netip.Addr) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, id := range nodes {
		if o.of[id] == from {
			delete(o.of, id)
			o.changes++
		}
	}
}

// moves rises when one has changed.
func (o *origins) moves() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.changes
}

// known gives the origins, with their moves.
func (o *origins) known() (map[cluster.ID]netip.Addr, uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return maps.Clone(o.of), o.changes
}

// checkAddresses refuses a report that has itself or an instance at another node's machine.
func checkAddresses(claims cluster.Claims, node cluster.Node, r cluster.Report) error {
	errs := []error{claims.CheckAddress(node, r.Address)}
	for _, st := range r.Instances {
		if st.Address != r.Address {
			errs = append(errs, claims.CheckAddress(node, st.Address))
		}
	}
	return errors.Join(errs...)
}
