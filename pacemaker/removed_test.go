package pacemaker

import (
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// What waits in the queue of a node that is removed ends with a sentence; what others
// have to do goes on.
func TestRemove_EndsWhatWaitsForTheNode(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n1, n2 := r.newNode("n1", cluster.RoleHeart), r.newNode("n2", cluster.RoleHeart)
	shop := r.App("shop")
	there := r.Begin(shop, cluster.OpPrune, cluster.Request{Nodes: []cluster.ID{n2.ID}})
	elsewhere := r.Begin(shop, cluster.OpPrune, cluster.Request{Nodes: []cluster.ID{n1.ID}})
	r.round()

	_, err := r.Members.Remove(t.Context(), n2, "ann")
	testkit.Must(t, err)

	for id, want := range map[cluster.ID]string{there.ID: "node n2 was removed from the cluster", elsewhere.ID: ""} {
		op, err := r.store.Operation(t.Context(), id)
		testkit.Must(t, err)
		if op.AbortReason != want {
			t.Errorf("got %+v, want it to end by %q", op, want)
		}
	}
}
