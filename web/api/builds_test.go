package api_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"aorta/pacemaker/cluster"
	"aorta/web/internal/rig"
	"aorta/web/wire"
)

// A build that has not ended is as its deploy is: it runs, or was cancelled, or
// failed before it.
func TestListBuilds_SaysHowEachWent(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	app := r.App("shop")
	release := r.NewRelease(app)
	ends := []cluster.OperationState{cluster.OperationAborted, cluster.OperationFailed}
	for _, state := range ends {
		ended(r, asked(r, "POST", "/apps/shop/deploys", `{"image":"img:2"}`), state)
	}
	running := asked(r, "POST", "/apps/shop/deploys", `{"image":"img:3"}`)

	first := rig.As[wire.Page[wire.Build]](t, r.Admin("GET", "/apps/shop/builds?limit=2", ""))
	rest := rig.As[wire.Page[wire.Build]](t, r.Admin("GET", "/apps/shop/builds?limit=2&cursor="+first.Next, ""))

	var got []string
	for _, b := range append(first.Items, rest.Items...) {
		got = append(got, b.Source+" "+b.State+" "+b.Release)
	}
	if diff := cmp.Diff([]string{"img:3 running ", "img:2 failed ", "img:2 aborted ", "img:1 succeeded " + release.Label()}, got); diff != "" {
		t.Errorf("builds: want - got +\n%s", diff)
	}
	if b := first.Items[0]; b.ID != string(running) || b.Build == "" || b.User != "admin" || b.Title == "" || b.App != "shop" || rest.Next != "" {
		t.Errorf("got %+v, want it by the id of its job %s", b, running)
	}
}
