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

// BenchmarkReport_OfManyInstances is a report of a node with 200 instances, of which none
// has changed.
func BenchmarkReport_OfManyInstances(b *testing.B) {
	r := newRig(b)
	n := r.placed("n1", "10.8.0.1", cluster.Places{Addresses: []string{"10.8.0.1"}}, cluster.RoleHeart)
	release := r.Deploy(r.App("shop"), cluster.ProcessType{Name: "web"})
	said := report(n, 1, true)
	said.Places = n.Places
	for range 200 {
		said.Instances = append(said.Instances, cluster.InstanceStatus{ID: r.Instance(release, "web", n), State: cluster.InstanceRunning})
	}
	said.Digest = cluster.InstanceDigest(said.Instances)
	_, err := r.nodes.Report(b.Context(), n, said)
	testkit.Must(b, err)
	said.Full, said.Instances = false, nil
	for b.Loop() {
		said.Counter++
		_, err := r.nodes.Report(b.Context(), n, said)
		testkit.Must(b, err)
	}
}
