package pacemaker

import (
	"errors"
	"slices"
	"testing"
	"time"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// round reconciles once and gives the roots that got their trees.
func (r *rig) round() []string {
	r.tb.Helper()
	must(r.tb, r.reconcile(r.tb.Context()))
	return r.trees.take()
}

// open lists the open operations of a kind.
func (r *rig) open(kind cluster.OperationKind) []cluster.Operation {
	r.tb.Helper()
	list, err := r.store.OpenOperations(r.tb.Context())
	must(r.tb, err)
	return slices.DeleteFunc(list, func(op cluster.Operation) bool { return op.Kind != kind })
}

func TestReconcile_PlantsATreeOnceAndAgainWhenItIsLost(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	op, err := r.DeployImage(t.Context(), r.newApp("shop"), "img:1", "", "admin")
	must(t, err)

	first := r.round()
	whole, err := r.trees.Tree(t.Context(), string(op.ID))
	must(t, err)
	second := r.round()
	r.trees.drop(string(op.ID))
	third := r.round()
	again, err := r.trees.Tree(t.Context(), string(op.ID))
	must(t, err)
	r.trees.drop(string(op.ID))
	r.end(op.ID)
	ended := r.round()

	want := []string{string(op.ID)}
	if !slices.Equal(first, want) || len(second) != 0 || !slices.Equal(third, want) || len(ended) != 0 {
		t.Errorf("got %v, %v, %v, and %v after its end; want it once, and again when lost", first, second, third, ended)
	}
	for id := range whole.Jobs {
		if again.Jobs[id] == nil {
			t.Errorf("job %s has another id in the second tree", id)
		}
	}
}

func TestReconcile_PlantsNothingWhileTreesCantBeRead(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, err := r.DeployImage(t.Context(), r.newApp("shop"), "img:1", "", "admin")
	must(t, err)
	r.trees.err = errors.New("i/o timeout")

	err = r.reconcile(t.Context())

	if err == nil || len(r.trees.take()) != 0 {
		t.Errorf("got %v, want an error and no tree", err)
	}
}

func TestReconcile_ExclusiveOperationsTakeTurns(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop, other := r.newApp("shop"), r.newApp("other")
	var ops []cluster.ID
	for range 3 {
		op, err := r.DeployImage(t.Context(), shop, "img:1", "", "admin")
		must(t, err)
		ops = append(ops, op.ID)
	}
	beside, err := r.DeployImage(t.Context(), other, "img:1", "", "admin")
	must(t, err)

	first := r.round()
	waiting := r.round()
	r.end(ops[0])
	second := r.round()
	r.end(ops[1])
	third := r.round()

	slices.Sort(first)
	if want := []string{string(ops[0]), string(beside.ID)}; !slices.Equal(first, want) || len(waiting) != 0 {
		t.Errorf("got %v, then %v; want %v, then none", first, waiting, want)
	}
	if !slices.Equal(second, []string{string(ops[1])}) || !slices.Equal(third, []string{string(ops[2])}) {
		t.Errorf("got %v, then %v; want the others in their order %v", second, third, ops[1:])
	}
}

func TestReconcile_OneBadOperationHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	bad := cluster.Operation{ID: cluster.NewID(), Kind: "unheard", Title: "Unheard of"}
	must(t, r.store.Begin(t.Context(), bad))
	good, err := r.DeployImage(t.Context(), r.newApp("shop"), "img:1", "", "admin")
	must(t, err)

	err = r.reconcile(t.Context())

	if got := r.trees.take(); err == nil || !slices.Equal(got, []string{string(good.ID)}) {
		t.Errorf("got %v and %v, want the error told and %s planted", err, got, good.ID)
	}
}

func TestReconcile_RetiresWhatDrains(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	release := r.deploy(r.newApp("shop"), cluster.ProcessType{Name: "web", Quantity: new(int)})
	n := r.newNode("n1", cluster.RoleHeart)
	one, two := r.instance(release, "web", n), r.instance(release, "web", n)
	must(t, r.store.Promote(t.Context(), store.Promotion{App: release.AppID, Drain: []cluster.ID{one, two}}))

	r.round()
	planted := r.round()
	again := r.round()

	ops := r.open(cluster.OpRetire)
	if len(ops) != 1 || !slices.Equal(planted, []string{string(ops[0].ID)}) || len(again) != 0 {
		t.Fatalf("got operations %v, planted %v, then %v; want one of both", ops, planted, again)
	}
	tree, err := r.trees.Tree(t.Context(), string(ops[0].ID))
	must(t, err)
	kinds := map[string]int{}
	for _, j := range tree.Jobs {
		kinds[j.Kind]++
	}
	if kinds[cluster.JobDrain] != 2 || kinds[cluster.JobInstanceStop] != 2 {
		t.Errorf("got jobs %v, want two drains and two stops", kinds)
	}
}

func TestReconcile_ReplacesWhatIsMissingButNotTooFast(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	release := r.deploy(r.newApp("shop"))
	n := r.newNode("n1", cluster.RoleHeart)
	pauses := []time.Duration{}

	for failures := range 4 {
		waited := time.Duration(0)
		for ; len(r.open(cluster.OpReplace)) == 0; waited += time.Second {
			if waited > 0 || failures > 0 {
				r.clock.forward(time.Second)
			}
			r.round()
			if waited > time.Minute {
				t.Fatalf("after %d failures: no replacement in a minute", failures)
			}
		}
		pauses = append(pauses, waited)
		op := r.open(cluster.OpReplace)[0]
		r.round()
		if got := len(r.open(cluster.OpReplace)); got != 1 {
			t.Fatalf("got %d replacements at once, want one", got)
		}
		r.end(op.ID)
		r.lose(n, r.instance(release, "web", n))
	}

	for i := 2; i < len(pauses); i++ {
		if pauses[i] < 2*pauses[i-1]-time.Second || pauses[1] < 2*time.Second {
			t.Errorf("got pauses %v, want each about twice the one before", pauses)
		}
	}
}

func TestReconcile_ATypeThatFailsHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	two := 1
	release := r.deploy(r.newApp("shop"), cluster.ProcessType{Name: "web"}, cluster.ProcessType{Name: "worker", Quantity: &two})
	n := r.newNode("n1", cluster.RoleHeart)
	web := r.instance(release, "web", n)
	for range 3 {
		r.lose(n, r.instance(release, "worker", n))
	}
	r.round()
	held := r.open(cluster.OpReplace)

	must(t, r.store.Promote(t.Context(), store.Promotion{App: release.AppID, Drain: []cluster.ID{web}}))
	r.round()

	ops := r.open(cluster.OpReplace)
	if len(held) != 0 || len(ops) != 1 {
		t.Fatalf("got %d replacements of the worker at once and %d of the web, want none and one", len(held), len(ops))
	}
	w, err := r.work(t.Context(), ops[0].ID)
	must(t, err)
	must(t, r.aim(t.Context(), &w))
	if len(w.target.Want) != 1 || w.target.Want["web"] != 1 {
		t.Errorf("got it aim at %v, want one web", w.target.Want)
	}
}

func TestReconcile_LeavesStoppedAndGoingAppsAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	stopped, going, busy, fresh := r.newApp("stopped"), r.newApp("going"), r.newApp("busy"), r.newApp("fresh")
	for _, app := range []cluster.App{stopped, going, busy} {
		r.deploy(app)
	}
	yes := true
	must(t, r.store.Promote(t.Context(), store.Promotion{App: stopped.ID, Stopped: &yes}))
	_, err := r.DestroyApp(t.Context(), going, "going", "admin")
	must(t, err)
	_, err = r.DeployImage(t.Context(), busy, "img:2", "", "admin")
	must(t, err)

	r.round()

	if ops := r.open(cluster.OpReplace); len(ops) != 0 {
		t.Errorf("got replacements %v, want none for apps that are stopped, going, busy or without a release", ops)
	}
	if _, err := r.trees.Tree(t.Context(), string(fresh.ID)); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("got %v, want no tree", err)
	}
}
