package view

import (
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/overview"
	"aorta/web/wire"
)

// Node is a node as it was heard last.
func (v *Views) Node(n overview.Node) wire.Node {
	w := wire.Node{NodeFacts: NodeFacts(n), CreatedAt: n.CreatedAt, Generation: v.pace.Routers.Generation(n.ID)}
	w.ScoreParts, w.TagSources = scoreParts(n.Load), tagSources(n)
	if n.HeardAt != nil {
		ago := n.HeardAgo.Seconds()
		w.HeardAgo = &ago
	}
	return w
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

// NodeFacts are what every shape of a node holds.
func NodeFacts(n overview.Node) wire.NodeFacts {
	w := wire.NodeFacts{
		ID: string(n.ID), Name: n.Name, Address: n.Address, Roles: []string{}, State: n.StateText(),
		Score: n.Score, Instances: n.Instances, Tags: n.Tags,
	}
	for _, r := range n.Roles {
		w.Roles = append(w.Roles, string(r))
	}
	if w.Tags == nil {
		w.Tags = map[string]string{}
	}
	return w
}
