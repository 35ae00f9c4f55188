package store

import "aorta/pacemaker/cluster"

// tagsShape is what is asked of nodes, as people type it.
type tagsShape struct {
	Require []string `json:"require,omitempty"`
	Prefer  []string `json:"prefer,omitempty"`
}

func tagsShapeOf(t cluster.Tags) tagsShape {
	return tagsShape{cluster.TagTexts(t.Require), cluster.TagTexts(t.Prefer)}
}

func (s tagsShape) tags() cluster.Tags {
	return cluster.Tags{Require: cluster.TagsOf(s.Require), Prefer: cluster.TagsOf(s.Prefer)}
}
