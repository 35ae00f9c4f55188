package overview

import (
	"slices"

	"aorta/pacemaker/cluster"
)

// InDoubt is an exclusive instance of which nobody knows whether it still runs: its node
// is dead, and only its silence says so. Nothing starts in its place.
type InDoubt struct {
	Instance cluster.Instance
	Node     string
}

// inDoubt finds them among the instances of an app that are not gone, of what is wanted.
func inDoubt(release cluster.Release, want map[string]int, instances []cluster.Instance, nodes []cluster.Node) (out []InDoubt) {
	for _, in := range instances {
		if want[in.Type] == 0 {
			continue
		}
		proc, is := release.Process(in.Type)
		i := slices.IndexFunc(nodes, func(n cluster.Node) bool { return n.ID == in.NodeID })
		if is && i >= 0 && proc.Exclusive && nodes[i].Lost() && proc.MayRunOn(nodes[i], in) {
			out = append(out, InDoubt{in, nodes[i].Name})
		}
	}
	return out
}

func (a App) doubts() []Concern {
	out := make([]Concern, 0, len(a.InDoubt))
	for _, d := range a.InDoubt {
		out = append(out, Concern{
			Severity: SeverityBad, Kind: "app", ID: string(d.Instance.ID), App: a.Name, AppID: a.ID,
			Text: cluster.MayStillRun(d.Instance, a.Name, d.Node) + ".",
		})
	}
	return out
}
