package view

import (
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/overview"
	"aorta/web/wire"
)

// Node is a node as it was heard last.
func (v *Views) Node(n overview.Node) wire.Node {
	w := wire.Node{NodeFacts: NodeFacts(n), CreatedAt: n.CreatedAt, Generation: v.pace.Routers.Generation(n.ID)}
	if n.HeardAt != nil {
		ago := n.HeardAgo.Seconds()
		w.HeardAgo = &ago
	}
	return w
}

// NodeFacts are what every shape of a node holds.
func NodeFacts(n overview.Node) wire.NodeFacts {
	w := wire.NodeFacts{
		ID: string(n.ID), Name: n.Name, Address: n.Address, Roles: []string{}, State: string(n.State),
		Score: n.Score, Instances: n.Instances, Tags: n.Tags,
	}
	for _, r := range n.Roles {
		w.Roles = append(w.Roles, string(r))
	}
	if w.Tags == nil {
		w.Tags = map[string]string{}
	}
	if n.Unheard {
		w.State = string(cluster.NodeSuspect)
	}
	return w
}
