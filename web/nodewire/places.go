package nodewire

import "aorta/pacemaker/cluster"

// Places are where a node's machine is reached from others.
type Places struct {
	Addresses []string `json:"addresses,omitempty"`
	Public    []string `json:"public,omitempty"`
}

// fromPlaces is nil where there are none, as from a node of an older version.
func fromPlaces(p cluster.Places) *Places {
	if len(p.Addresses) == 0 && len(p.Public) == 0 {
		return nil
	}
	return &Places{Addresses: p.Addresses, Public: p.Public}
}

func (p *Places) domain() cluster.Places {
	if p == nil {
		return cluster.Places{}
	}
	return cluster.Places(*p)
}

// Neighbours are the places of all nodes.
type Neighbours struct {
	Digest string   `json:"digest"`
	Nodes  []Places `json:"nodes"`
}

func fromNeighbours(n *cluster.Neighbours) *Neighbours {
	if n == nil {
		return nil
	}
	return &Neighbours{Digest: n.Digest, Nodes: each(n.Nodes, func(p cluster.Places) Places { return Places(p) })}
}

func (n *Neighbours) domain() *cluster.Neighbours {
	if n == nil {
		return nil
	}
	return &cluster.Neighbours{Digest: n.Digest, Nodes: each(n.Nodes, func(p Places) cluster.Places { return cluster.Places(p) })}
}

// FromNeighbours is the shape of n.
func FromNeighbours(n cluster.Neighbours) Neighbours { return *fromNeighbours(&n) }

// Domain is the value that the shape carries.
func (n Neighbours) Domain() cluster.Neighbours { return *n.domain() }
