package pacemaker

import (
	"errors"
	"slices"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// round reconciles once and gives the roots that got their trees.
func (r *rig) round() []string {
	r.TB.Helper()
	testkit.Must(r.TB, r.reconcile(r.TB.Context()))
	return r.Jobs.Take()
}

// open lists the open operations of a kind.
func (r *rig) open(kind cluster.OperationKind) []cluster.Operation {
	r.TB.Helper()
	list, err := r.store.OpenOperations(r.TB.Context())
	testkit.Must(r.TB, err)
	return slices.DeleteFunc(list, func(op cluster.Operation) bool { return op.Kind != kind })
}

func TestReconcile_PlantsATreeOnceAndAgainWhenItIsLost(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	op, err := r.DeployImage(t.Context(), r.App("shop"), "img:1", "", "admin")
	testkit.Must(t, err)

	first := r.round()
	whole, err := r.Jobs.Tree(t.Context(), string(op.ID))
	testkit.Must(t, err)
	second := r.round()
	r.Jobs.Drop(string(op.ID))
	third := r.round()
	again, err := r.Jobs.Tree(t.Context(), string(op.ID))
	testkit.Must(t, err)
	r.Jobs.Drop(string(op.ID))
	r.End(op.ID)
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
	_, err := r.DeployImage(t.Context(), r.App("shop"), "img:1", "", "admin")
	testkit.Must(t, err)
	r.Jobs.Err = errors.New("i/o timeout")

	err = r.reconcile(t.Context())

	if err == nil || len(r.Jobs.Take()) != 0 {
		t.Errorf("got %v, want an error and no tree", err)
	}
}

func TestReconcile_ExclusiveOperationsTakeTurns(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop, other := r.App("shop"), r.App("other")
	var ops []cluster.ID
	for range 3 {
		op, err := r.DeployImage(t.Context(), shop, "img:1", "", "admin")
		testkit.Must(t, err)
		ops = append(ops, op.ID)
	}
	beside, err := r.DeployImage(t.Context(), other, "img:1", "", "admin")
	testkit.Must(t, err)

	first := r.round()
	waiting := r.round()
	r.End(ops[0])
	second := r.round()
	r.End(ops[1])
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
	testkit.Must(t, r.store.Begin(t.Context(), bad))
	good, err := r.DeployImage(t.Context(), r.App("shop"), "img:1", "", "admin")
	testkit.Must(t, err)

	err = r.reconcile(t.Context())

	if got := r.Jobs.Take(); err == nil || !slices.Equal(got, []string{string(good.ID)}) {
		t.Errorf("got %v and %v, want the error told and %s planted", err, got, good.ID)
	}
}

// What people see of a deploy has the stop of what it replaced as its last step, from
// the moment on at which it is known.
func TestReconcile_WhatDrainsIsAStepOfItsCause(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	two := 2
	release := r.Deploy(app, cluster.ProcessType{Name: "web", Quantity: &two})
	n := r.newNode("n1", cluster.RoleHeart)
	old, other := r.Instance(release, "web", n), r.Instance(release, "web", n)
	op := r.BeginDeploy(app, "img:2")
	r.round()
	tree, err := r.Jobs.Tree(t.Context(), string(op.ID))
	testkit.Must(t, err)
	testkit.Must(t, r.store.Promote(t.Context(), store.Promotion{App: release.AppID, Cause: op.ID, Drain: []cluster.ID{old}}))
	r.End(op.ID)
	r.Lose(n, other)
	op, err = r.store.Operation(t.Context(), op.ID)
	testkit.Must(t, err)

	soon, err := r.Following.Steps(t.Context(), op, tree)
	testkit.Must(t, err)
	failed := op
	failed.State = cluster.OperationFailed
	silent, err := r.Following.Steps(t.Context(), failed, tree)
	testkit.Must(t, err)
	r.round()
	r.round()
	then, err := r.Following.Steps(t.Context(), op, tree)
	testkit.Must(t, err)

	last := soon[len(soon)-1]
	if last.Name != "Drain" || last.Progress.Text != "1 instance stops once its requests have ended" {
		t.Errorf("got %+v last, want that one instance is to stop", last)
	}
	if last = silent[len(silent)-1]; last.Name == "Drain" {
		t.Errorf("got %+v last of one that failed, want nothing of what is to be tidied up", last)
	}
	last = then[len(then)-1]
	if last.Name != "Drain" || len(last.Children) != 1 || last.Children[0].Name != "web."+old.Short() {
		t.Errorf("got %+v last, want the drain of %s alone", last, old.Short())
	}
}

func TestReconcile_RetiresWhatDrains(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	release := r.Deploy(r.App("shop"), cluster.ProcessType{Name: "web", Quantity: new(int)})
	n := r.newNode("n1", cluster.RoleHeart)
	one, two := r.Instance(release, "web", n), r.Instance(release, "web", n)
	cause := cluster.NewID()
	testkit.Must(t, r.store.Promote(t.Context(), store.Promotion{App: release.AppID, Cause: cause, Drain: []cluster.ID{one, two}}))

	r.round()
	planted := r.round()
	again := r.round()

	ops := r.open(cluster.OpRetire)
	if len(ops) != 1 || ops[0].Cause != cause || !slices.Equal(planted, []string{string(ops[0].ID)}) || len(again) != 0 {
		t.Fatalf("got operations %v, planted %v, then %v; want one of both, for the cause", ops, planted, again)
	}
	tree, err := r.Jobs.Tree(t.Context(), string(ops[0].ID))
	testkit.Must(t, err)
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
	release := r.Deploy(r.App("shop"))
	n := r.newNode("n1", cluster.RoleHeart)
	pauses := []time.Duration{}

	for failures := range 4 {
		waited := time.Duration(0)
		for ; len(r.open(cluster.OpReplace)) == 0; waited += time.Second {
			if waited > 0 || failures > 0 {
				r.Clock.Forward(time.Second)
				r.report(n)
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
		r.End(op.ID)
		r.Lose(n, r.Instance(release, "web", n))
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
	release := r.Deploy(r.App("shop"), cluster.ProcessType{Name: "web"}, cluster.ProcessType{Name: "worker", Quantity: &two})
	n := r.newNode("n1", cluster.RoleHeart)
	web := r.Instance(release, "web", n)
	for range 3 {
		r.Lose(n, r.Instance(release, "worker", n))
	}
	r.round()
	held := r.open(cluster.OpReplace)

	testkit.Must(t, r.store.Promote(t.Context(), store.Promotion{App: release.AppID, Drain: []cluster.ID{web}}))
	r.announce(release.AppID)
	r.round()

	ops := r.open(cluster.OpReplace)
	if len(held) != 0 || len(ops) != 1 {
		t.Fatalf("got %d replacements of the worker at once and %d of the web, want none and one", len(held), len(ops))
	}
	w, err := r.work(t.Context(), ops[0].ID)
	testkit.Must(t, err)
	testkit.Must(t, r.setTarget(t.Context(), &w))
	if len(w.target.Want) != 1 || w.target.Want["web"] != 1 {
		t.Errorf("got it aim at %v, want one web", w.target.Want)
	}
}

func TestReconcile_LeavesStoppedAndGoingAppsAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	stopped, going, busy, fresh := r.App("stopped"), r.App("going"), r.App("busy"), r.App("fresh")
	for _, app := range []cluster.App{stopped, going, busy} {
		r.Deploy(app)
	}
	yes := true
	testkit.Must(t, r.store.Promote(t.Context(), store.Promotion{App: stopped.ID, Stopped: &yes}))
	_, err := r.DestroyApp(t.Context(), going, "going", "admin")
	testkit.Must(t, err)
	_, err = r.DeployImage(t.Context(), busy, "img:2", "", "admin")
	testkit.Must(t, err)

	r.round()

	if ops := r.open(cluster.OpReplace); len(ops) != 0 {
		t.Errorf("got replacements %v, want none for apps that are stopped, going, busy or without a release", ops)
	}
	if _, err := r.Jobs.Tree(t.Context(), string(fresh.ID)); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("got %v, want no tree", err)
	}
}
