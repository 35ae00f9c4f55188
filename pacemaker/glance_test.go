package pacemaker

import (
	"context"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

func (r *rig) glance() Glance {
	r.tb.Helper()
	g, err := r.Glance(context.Background())
	must(r.tb, err)
	return g
}

// only is the one app that the glance shows.
func only(tb testing.TB, g Glance) AppGlance {
	tb.Helper()
	if len(g.Apps) != 1 {
		tb.Fatalf("got %d apps, want one", len(g.Apps))
	}
	return g.Apps[0]
}

func TestGlance_AppGoesThroughItsStates(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := context.Background()
	node := r.newNode("n1", cluster.RoleHeart)
	app := r.newApp("shop")
	want := func(step string, state AppState, running, wanted, missing int) {
		t.Helper()
		a := only(t, r.glance())
		if a.State != state || a.Running != running || a.Wanted != wanted || a.Missing != missing {
			t.Errorf("%s: got %s %d of %d, %d missing; want %s %d of %d, %d missing", step, a.State, a.Running, a.Wanted, a.Missing, state, running, wanted, missing)
		}
	}

	want("made", AppEmpty, 0, 0, 0)
	first, err := r.DeployImage(ctx, app, "img:0", "", "admin")
	must(t, err)
	want("first deploy at work", AppDeploying, 0, 0, 0)
	must(t, r.store.EndOperation(ctx, store.Ending{ID: first.ID, State: cluster.OperationFailed, Error: "no", Tree: []byte("{}"), Log: []byte("[]")}))
	want("first deploy failed", AppFailed, 0, 0, 0)
	release := r.deploy(app, cluster.ProcessType{Name: "web"}, cluster.ProcessType{Name: "worker"})
	want("nothing runs", AppFailed, 0, 1, 1)
	r.instance(release, "worker", node)
	want("only the worker runs", AppFailed, 1, 1, 1)
	web := r.instance(release, "web", node)
	want("web runs", AppServing, 2, 1, 0)
	next, err := r.DeployImage(ctx, app, "img:2", "", "admin")
	must(t, err)
	want("next deploy at work", AppDeploying, 2, 1, 0)
	r.end(next.ID)
	_, _, err = r.store.ApplyReport(ctx, node.ID, []cluster.InstanceStatus{{ID: web, State: cluster.InstanceRunning, Crashing: true}})
	must(t, err)
	want("web crashes", AppFailed, 1, 1, 1)
	stopped := true
	must(t, r.store.Promote(ctx, store.Promotion{App: app.ID, Stopped: &stopped}))
	want("stopped", AppStopped, 1, 0, 0)
}

func TestGlance_NamesTheOperationWhoseTurnItIs(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.newApp("shop")
	r.deploy(app)
	first, err := r.StopApp(t.Context(), app, "admin")
	must(t, err)
	r.clock.forward(time.Second)
	_, err = r.DeployImage(t.Context(), app, "img:2", "", "admin")
	must(t, err)

	g := r.glance()

	if op := only(t, g).Operation; op == nil || op.ID != first.ID || len(g.Open) != 2 {
		t.Errorf("got %+v of %d, want the first of two", op, len(g.Open))
	}
}

func TestGlance_TellsOfNodes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n1 := r.newNode("n1", cluster.RoleHeart, cluster.RoleRouter)
	app := r.newApp("shop")
	id := r.instance(r.deploy(app), "web", n1)
	_, _, err := r.CreateNode(t.Context(), "n2", []cluster.Role{cluster.RoleRouter}, "admin")
	must(t, err)
	r.clock.forward(20 * time.Second)
	started := r.clock.now()
	_, _, err = r.store.ApplyReport(t.Context(), n1.ID, []cluster.InstanceStatus{{ID: id, State: cluster.InstanceRunning, StartedAt: &started}})
	must(t, err)

	silent := r.glance()
	must(t, r.RouterReported(n1, cluster.RouterReport{}))
	heard := r.glance()

	one, two := silent.Nodes[0], silent.Nodes[1]
	if one.Instances != 1 || !one.Unheard || !one.RouterSilent || one.HeardAt == nil || r.clock.now().Sub(*one.HeardAt) != 20*time.Second || !one.Joined() {
		t.Errorf("got n1 %+v, want one instance, silent for 20 s", one)
	}
	if two.Joined() || two.HeardAt != nil {
		t.Errorf("got n2 %+v, want it not joined", two)
	}
	if heard.Nodes[0].RouterSilent {
		t.Errorf("got a silent router on n1, want it heard")
	}
	if !silent.LastChange.Equal(started) {
		t.Errorf("got last change %s, want %s", silent.LastChange, started)
	}
	if all := silent.Concerns(nil); len(all) != 2 || all[0].Kind != "router" || all[1].Kind != "node" || !all[1].Since.Equal(*one.HeardAt) {
		t.Errorf("got %+v, want n1's router and n1 since it was heard", all)
	}
}

func TestChanges_WakesAndEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	changes := r.Changes(ctx)

	// The watcher may not wait yet when the bell rings first.
	testkit.Eventually(t, 5*time.Second, "a wake-up", func() bool {
		r.announce()
		select {
		case <-changes:
			return true
		default:
			return false
		}
	})
}

func TestAway_NamesWhatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	r := newRig(t)

	well := r.Away(t.Context())
	r.trees.mu.Lock()
	r.trees.err = context.DeadlineExceeded
	r.trees.mu.Unlock()
	ill := r.Away(t.Context())

	if len(well) != 0 || len(ill) != 1 || ill[0] != "jobs Redis" {
		t.Errorf("got %v, then %v; want none, then the jobs Redis", well, ill)
	}
}
