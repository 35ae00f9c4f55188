package nodes

import (
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

func TestReport_ASessionRemembersSoManyInstances(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.joined("n1", cluster.RoleHeart)
	some := func() []cluster.InstanceStatus {
		list := make([]cluster.InstanceStatus, 2000)
		for i := range list {
			list[i] = running(cluster.NewID())
		}
		return list
	}
	for i := range uint64(3) {
		_, err := r.nodes.Report(t.Context(), n, report(n, i+1, false, some()...))
		testkit.Must(t, err)
	}

	remembered := len(r.nodes.sessions.open[n.ID].statuses)
	all, err := r.nodes.Report(t.Context(), n, report(n, 4, true, some()...))

	testkit.Must(t, err)
	if remembered != maxStatuses || all.SendFull || len(r.nodes.sessions.open[n.ID].statuses) != 2000 {
		t.Errorf("got %d remembered, send full %t; want %d, and a full report taken for all", remembered, all.SendFull, maxStatuses)
	}
}
