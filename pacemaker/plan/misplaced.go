package plan

import (
	"slices"
	"strings"

	"aorta/pacemaker/cluster"
)

// Misplaced are the app's wanted instances, of the release that is to run, on nodes that
// have not got a tag which their process type requires: the tags or the wish have changed
// since. They serve until others do, one after the other, the oldest first. Of a node
// that is not among those given, nothing is known, and what runs there is not misplaced.
func Misplaced(release cluster.Release, asked map[string]cluster.Formation, instances []cluster.Instance, nodes []cluster.Node) []cluster.Instance {
	if !slices.ContainsFunc(release.Processes, func(p cluster.ProcessType) bool { return len(Tags(p, asked).Require) > 0 }) {
		return nil
	}
	set := make(map[cluster.ID]map[string]string, len(nodes))
	for _, n := range nodes {
		set[n.ID] = n.SetTags
	}
	var out []cluster.Instance
	for _, in := range instances {
		proc, is := release.Process(in.Type)
		tags, known := set[in.NodeID]
		if !is || !known || in.ReleaseID != release.ID || !in.State.Wanted() {
			continue
		}
		lacks := func(t cluster.Tag) bool { return !t.In(tags) }
		if slices.ContainsFunc(Tags(proc, asked).Require, lacks) {
			out = append(out, in)
		}
	}
	slices.SortFunc(out, func(a, b cluster.Instance) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return out
}
