package overview

import (
	"context"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

func (r *fixture) snapshot() Snapshot {
	r.TB.Helper()
	g, err := r.overview.Snapshot(context.Background())
	testkit.Must(r.TB, err)
	return g
}

// only is the one app that the snapshot shows.
func only(tb testing.TB, g Snapshot) App {
	tb.Helper()
	if len(g.Apps) != 1 {
		tb.Fatalf("got %d apps, want one", len(g.Apps))
	}
	return g.Apps[0]
}

func TestSnapshot_AppGoesThroughItsStates(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := context.Background()
	node := r.joined("n1", cluster.RoleHeart)
	app := r.App("shop")
	want := func(step string, state AppState, running, wanted, missing int) {
		t.Helper()
		a := only(t, r.snapshot())
		if a.State != state || a.Running != running || a.Wanted != wanted || a.Missing != missing {
			t.Errorf("%s: got %s %d of %d, %d missing; want %s %d of %d, %d missing", step, a.State, a.Running, a.Wanted, a.Missing, state, running, wanted, missing)
		}
	}

	want("made", AppEmpty, 0, 0, 0)
	first := r.BeginDeploy(app, "img:0")
	want("first deploy at work", AppDeploying, 0, 0, 0)
	r.Fail(first.ID, "no")
	want("first deploy failed", AppEmpty, 0, 0, 0)
	release := r.Deploy(app, cluster.ProcessType{Name: "web"}, cluster.ProcessType{Name: "worker"})
	want("nothing runs", AppFailed, 0, 1, 1)
	r.Instance(release, "worker", node)
	want("only the worker runs", AppFailed, 1, 1, 1)
	web := r.Instance(release, "web", node)
	want("web runs", AppServing, 2, 1, 0)
	next := r.BeginDeploy(app, "img:2")
	want("next deploy at work", AppDeploying, 2, 1, 0)
	r.End(next.ID)
	r.Reported(node, cluster.InstanceStatus{ID: web, State: cluster.InstanceRunning, Crashing: true})
	want("web crashes", AppFailed, 1, 1, 1)
	stopped := true
	testkit.Must(t, r.Store.Promote(ctx, store.Promotion{App: app.ID, Stopped: &stopped}))
	want("stopped", AppStopped, 1, 0, 0)
}

func TestSnapshot_NamesTheOperationWhoseTurnItIs(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	r.Deploy(app)
	first := r.Begin(app, cluster.OpStop, cluster.Request{})
	r.Clock.Forward(time.Second)
	r.BeginDeploy(app, "img:2")

	g := r.snapshot()

	if op := only(t, g).Operation; op == nil || op.ID != first.ID || len(g.Open) != 2 {
		t.Errorf("got %+v of %d, want the first of two", op, len(g.Open))
	}
}

func TestSnapshot_ShowsNodes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n1 := r.joined("n1", cluster.RoleHeart, cluster.RoleRouter)
	app := r.App("shop")
	id := r.Instance(r.Deploy(app), "web", n1)
	r.Clock.Forward(20 * time.Second)
	started := r.Clock.Now()
	r.Reported(n1, cluster.InstanceStatus{ID: id, State: cluster.InstanceRunning, StartedAt: &started})

	silent := r.snapshot()
	alone, err := r.overview.App(t.Context(), app)
	testkit.Must(t, r.routers.Reported(n1, cluster.RouterReport{}))
	routed := r.snapshot()
	r.hears(n1)
	heard := r.snapshot()

	one := silent.Nodes[0]
	if one.Instances != 1 || !one.Unheard || !one.RouterSilent || one.HeardAt == nil || r.Clock.Now().Sub(*one.HeardAt) != 20*time.Second {
		t.Errorf("got n1 %+v, want one instance, silent for 20 s", one)
	}
	if routed.Nodes[0].RouterSilent {
		t.Errorf("got a silent router on n1, want it heard")
	}
	if !silent.LastChange.Equal(started) {
		t.Errorf("got last change %s, want %s", silent.LastChange, started)
	}
	const says = "Node n1 is silent, its router too: check aortad and the network there; if the machine is lost for good, run aorta nodes remove n1."
	if all := silent.Concerns(); len(all) != 1 || all[0].Severity != SeverityBad || all[0].Kind != "node" || all[0].Text != says || !all[0].Since.Equal(*one.HeardAt) {
		t.Errorf("got %+v, want n1 with its router, once, since it was heard", all)
	}
	if want := "may not serve: 1 on n1, which is silent"; err != nil || silent.Apps[0].Text != want || silent.Apps[0].Severity != SeverityWarn || alone.Text != silent.Apps[0].Text || strings.Contains(heard.Apps[0].Text, "silent") {
		t.Errorf("got %q, alone %q, %v, and heard %q; want the first two %q", silent.Apps[0].Text, alone.Text, err, heard.Apps[0].Text, want)
	}
}
