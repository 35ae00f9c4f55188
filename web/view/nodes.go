package view

import (
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/overview"
	"aorta/pacemaker/place"
	"aorta/web/wire"
)

// Node is a node as it was heard last.
func (v *Views) Node(n overview.Node) wire.Node {
	w := wire.Node{NodeFacts: NodeFacts(n), NodeDetails: v.NodeDetails(n)}
	if n.HeardAt != nil {
		ago := n.HeardAgo.Seconds()
		w.HeardAgo = &ago
	}
	return w
}

// NodeDetails are what is shown of a node by itself.
func (v *Views) NodeDetails(n overview.Node) wire.NodeDetails {
	d := wire.NodeDetails{
		CreatedAt: n.CreatedAt, Generation: v.pace.Routers.Generation(n.ID),
		ScoreParts: scoreParts(n.Load), TagSources: tagSources(n), Unshown: n.Unshown,
	}
	if n.Load != nil {
		d.Capacity = &wire.NodeCapacity{CPUs: n.Load.CPUs, CPUOvercommit: place.CPUOvercommit, Memory: n.Load.MemoryTotal, Promised: n.Load.Promised}
	}
	return d
}

func scoreParts(l *cluster.Load) []wire.ScorePart {
	parts := []wire.ScorePart{}
	if l != nil {
		for _, p := range l.ScoreParts() {
			parts = append(parts, wire.ScorePart(p))
		}
	}
	return parts
}

// tagSources says of each tag where it comes from; of one that was reported to the
// process before this one, it is not known.
func tagSources(n overview.Node) map[string]string {
	sources := map[string]string{}
	for key := range n.Tags {
		source := n.TagSources[key]
		if _, set := n.SetTags[key]; set {
			source = cluster.TagSet
		}
		if source != "" {
			sources[key] = string(source)
		}
	}
	return sources
}

// Residents are the instances on a node.
func Residents(list []overview.Resident) []wire.NodeInstance {
	out := make([]wire.NodeInstance, len(list))
	for i, r := range list {
		out[i] = wire.NodeInstance{Instance: Instance(cluster.App{Name: r.App}, r.Instance), Next: r.Next}
		if r.Work != nil {
			out[i].Work = &wire.LiveRef{ID: string(r.Work.ID), Title: r.Work.Title}
		}
	}
	return out
}

// NodeFacts are what every shape of a node holds.
func NodeFacts(n overview.Node) wire.NodeFacts {
	w := wire.NodeFacts{
		ID: string(n.ID), Name: n.Name, Address: n.Address, Roles: []string{}, State: n.StateText(),
		Score: n.Score, Instances: n.Instances, Tags: n.Tags, Draining: n.Draining, Since: n.Since(), HeldUntil: timeOrNil(n.HeldUntil),
	}
	for _, r := range n.Roles {
		w.Roles = append(w.Roles, string(r))
	}
	if w.Tags == nil {
		w.Tags = map[string]string{}
	}
	return w
}
