package nodes

import (
	"fmt"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// BenchmarkReport_OfManyNodes is a report of one of 1,000 nodes, of which none has
// changed.
func BenchmarkReport_OfManyNodes(b *testing.B) {
	r := newRig(b)
	all := make([]cluster.Node, 1000)
	for i := range all {
		address := fmt.Sprintf("10.8.%d.%d", i/250, i%250+1)
		all[i] = r.placed(fmt.Sprintf("n%d", i), address, cluster.Places{Addresses: []string{address, fmt.Sprintf("fd00::%x", i+1)}}, cluster.RoleHeart)
	}
	knows := ""
	for round, i := uint64(1), 0; b.Loop(); i++ {
		if i%len(all) == 0 {
			round++
		}
		n, err := r.Store.NodeByKey(b.Context(), all[i%len(all)].KeyHash)
		testkit.Must(b, err)
		said := report(n, round, false)
		said.Address, said.Places, said.Neighbours = n.Address, n.Places, knows
		a, err := r.nodes.Report(b.Context(), n, said)
		testkit.Must(b, err)
		if a.Neighbours != nil {
			knows = a.Neighbours.Digest
		}
	}
}
