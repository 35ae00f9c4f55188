package plan

import "aorta/pacemaker/cluster"

// Leaving says of an app's wanted instances, of the release that is to run, which are to
// run elsewhere whatever else does, and for the most pressing of the reasons why.
func Leaving(release cluster.Release, asked map[string]cluster.Formation, instances []cluster.Instance, nodes []cluster.Node) map[cluster.ID]MoveCause {
	at := make(map[cluster.ID]cluster.Node, len(nodes))
	for _, n := range nodes {
		at[n.ID] = n
	}
	leaving := map[cluster.ID]MoveCause{}
	for _, in := range Misplaced(release, asked, instances, nodes) {
		leaving[in.ID] = MoveMisplaced
	}
	for _, in := range instances {
		node, known := at[in.NodeID]
		switch {
		case !known || in.ReleaseID != release.ID || !in.State.Wanted():
		case node.Draining && !node.Lost():
			leaving[in.ID] = MoveDrained
		case node.Address != "" && in.PublishedAt(node.Address) != node.Address:
			leaving[in.ID] = MoveDisplaced
		}
	}
	return leaving
}
