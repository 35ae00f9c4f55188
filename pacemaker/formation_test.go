package pacemaker

import (
	"testing"

	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// What no node could ever hold is refused at once, and changes nothing; less than
// before never is.
func TestChangeFormation_RefusesWhatNoNodeCouldHold(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	r.Deploy(app, cluster.ProcessType{Name: "web"})
	node := r.newNode("n1", cluster.RoleHeart)
	r.load = cluster.Load{MemoryTotal: 2 << 30, CPUs: 2}
	r.report(node)
	scale := func(n int, memory int64) (cluster.Operation, error) {
		return r.ChangeFormation(t.Context(), app, map[string]ProcessChange{"web": {Quantity: &n, Limits: cluster.Limits{Memory: memory}}}, "ann")
	}

	_, err := scale(500, 0)
	wantConflict(t, "500", err, "web=500 of 512m each is more than the nodes could ever hold, 4 at most: n1 has 0b of 2g memory left")
	_, err = scale(1, 500<<30)
	wantConflict(t, "500g", err, "web=1 of 500g each is more than the nodes could ever hold, 0 at most: n1 has 2g of 2g")
	if asked, err := r.store.Formations(t.Context(), app.ID); err != nil || len(asked) > 0 {
		t.Errorf("after the refusals: got formation %v, %v, want none", asked, err)
	}
	four, err := scale(4, 0)
	testkit.Must(t, err)
	r.finish(four, jobs.Succeeded)
	r.load.MemoryTotal = 1 << 30
	r.report(node)
	_, err = scale(3, 0)
	testkit.Must(t, err)
}
