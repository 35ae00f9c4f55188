package live_test

import (
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/web/internal/rig"
	"aorta/web/wire"
)

func TestLive_FollowsANodeThroughItsDrain(t *testing.T) {
	t.Parallel() // it waits more than it works
	r := rig.New(t)
	node, _ := r.NewNode("n1", cluster.RoleHeart)
	app, err := r.Pace.CreateApp(t.Context(), "shop", "admin")
	testkit.Must(t, err)
	id := r.Serve(app, node)
	f := r.Live("overview,node:n1")

	none := rig.Await(r.Live("node:n2"), "gone", rig.Anything[wire.LiveGone])
	ready := rig.Await(f, "node", rig.Anything[wire.LiveNodePage])
	drain := rig.As[wire.Accepted](t, r.Admin("POST", "/nodes/n1/drain", ""))
	draining := rig.Await(f, "node", func(n wire.LiveNodePage) bool { return n.Drain != nil })
	r.Admin("POST", "/nodes/n1/undrain", "")
	rig.Await(f, "node", func(n wire.LiveNodePage) bool { return !n.Draining && n.Residents[0].Next == "" })

	if none.Node != "n2" || none.App != "" {
		t.Errorf("got %+v, want no node n2", none)
	}
	if ready.Draining || ready.Drain != nil || len(ready.Residents) != 1 || ready.Residents[0].ID != string(id) || ready.Residents[0].App != "shop" || ready.Residents[0].Next != "" {
		t.Errorf("got %+v, want it with the instance of shop, and no drain", ready)
	}
	if !draining.Draining || draining.Drain.ID != drain.Job || draining.Residents[0].Next == "" {
		t.Errorf("got %+v, want its drain %s, and what the instance waits for", draining, drain.Job)
	}
}
