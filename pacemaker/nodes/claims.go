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
	mu sync.Mutex // guards of
	of map[cluster.ID]netip.Addr
}

// ComesFrom notes where a node connects from; a loopback address for one on this machine.
func (n *Nodes) ComesFrom(node cluster.ID, from netip.Addr) {
	n.origins.mu.Lock()
	defer n.origins.mu.Unlock()
	n.origins.of[node] = from
}

// claims are what nodes say of where they are, with what is known of that.
func (n *Nodes) claims(nodes []cluster.Node) cluster.Claims {
	n.origins.mu.Lock()
	defer n.origins.mu.Unlock()
	return cluster.Claims{Nodes: nodes, From: maps.Clone(n.origins.of)}
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
