package pacemaker

import (
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// A build that never ends holds nothing up: who destroys an app wants none of it.
func TestDestroyApp_AbortsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop, blog := r.App("shop"), r.App("blog")
	running, err := r.DeployImage(t.Context(), shop, "img:1", "", "ann")
	testkit.Must(t, err)
	waiting, err := r.DeployImage(t.Context(), shop, "img:2", "", "ann")
	testkit.Must(t, err)
	other, err := r.DeployImage(t.Context(), blog, "img:1", "", "ann")
	testkit.Must(t, err)

	destroy, err := r.DestroyApp(t.Context(), shop, "shop", "bob")
	testkit.Must(t, err)
	r.round()

	for id, want := range map[cluster.ID]cluster.OperationState{
		running.ID: cluster.OperationAborted, waiting.ID: cluster.OperationAborted,
		other.ID: cluster.OperationOpen, destroy.ID: cluster.OperationOpen,
	} {
		op, err := r.store.Operation(t.Context(), id)
		if err != nil || op.State != want {
			t.Errorf("%s: got %s and %v, want it %s", op.Title, op.State, err, want)
		}
	}
}
