package pacemaker

import (
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// Who asks again and again does not fill the platform: an app has a bound, which is no
// other's, and what takes away gets in all the same.
func TestBegin_BoundsWhatAnAppHasOpen(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop, blog := r.App("shop"), r.App("blog")
	deploy := func(app cluster.App) (cluster.Operation, error) {
		return r.DeployImage(t.Context(), app, "img:1", "", "ann")
	}
	var last cluster.Operation
	r.Begin(shop, cluster.OpScale, cluster.Request{}) // a stop waits for it
	for range store.MaxOpen - 1 {
		op, err := deploy(shop)
		testkit.Must(t, err)
		last = op
	}

	_, refused := deploy(shop)
	_, others := deploy(blog)
	stop, stopped := r.StopApp(t.Context(), shop, "ann")
	again, _ := r.StopApp(t.Context(), shop, "bob")
	testkit.Must(t, r.Abort(t.Context(), last, "ann"))
	testkit.Must(t, r.Abort(t.Context(), stop, "ann"))
	_, roomy := deploy(shop)
	_, destroyed := r.DestroyApp(t.Context(), shop, "shop", "ann")

	if cluster.CodeOf(refused) != cluster.CodeUnavailable || !strings.Contains(refused.Error(), `app "shop" has as many open jobs as it may, 50`) {
		t.Errorf("got %v, want it refused with the bound and the way out", refused)
	}
	if others != nil || stopped != nil || roomy != nil || destroyed != nil {
		t.Errorf("got %v for another app, %v for a stop, %v once there is room, %v for the app's end; want each to get in", others, stopped, roomy, destroyed)
	}
	if again.ID != stop.ID {
		t.Errorf("got the stops %s and %s, want one", stop.ID, again.ID)
	}
}

func TestRestart_JoinsOneThatWaits(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	in := r.Instance(r.Deploy(app, cluster.ProcessType{Name: "web"}), "web", r.newNode("n1", cluster.RoleHeart))
	running := r.Begin(app, cluster.OpScale, cluster.Request{})
	restart := func(instance string) cluster.ID {
		op, err := r.Restart(t.Context(), app, instance, "ann")
		testkit.Must(t, err)
		return op.ID
	}

	first, second := restart(""), restart("")
	one := restart(string(in))
	behind := restart("")
	testkit.Must(t, r.Abort(t.Context(), running, "ann"))
	for _, id := range []cluster.ID{one, behind} {
		op, err := r.store.Operation(t.Context(), id)
		testkit.Must(t, err)
		testkit.Must(t, r.Abort(t.Context(), op, "ann"))
	}
	alone := restart("")

	if first != second || one == first || behind == first {
		t.Errorf("got the restarts %s, %s, of one instance %s, and %s; want the second to be the first, and the others their own", first, second, one, behind)
	}
	if alone == first {
		t.Error("got a restart that has its turn for one that was asked for later, want another one")
	}
}
