package pacemaker

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
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
	wantConflict(t, "500", err, "web=500 of 512 MB each is more than the nodes could ever hold, 4 at most if nothing else ran there: n1 has 0 bytes of 2 GB memory left")
	_, err = scale(1, 500<<30)
	wantConflict(t, "500g", err, "web=1 of 500 GB each is more than the nodes could ever hold, 0 at most if nothing else ran there: n1 has 2 GB of 2 GB")
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

// Relative changes at the same moment count each from what the other made of it.
func TestChangeFormation_CountsEachRelativeOne(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	r.Deploy(app, cluster.ProcessType{Name: "web"})
	node := r.newNode("n1", cluster.RoleHeart)
	r.load = cluster.Load{MemoryTotal: 16 << 30, CPUs: 8}
	r.report(node)
	change := func(c ProcessChange) (cluster.Operation, error) {
		return r.ChangeFormation(t.Context(), app, map[string]ProcessChange{"web": c}, "ann")
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := change(ProcessChange{More: 1}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	less, err := change(ProcessChange{More: -2})
	testkit.Must(t, err)

	asked, err := r.store.Formations(t.Context(), app.ID)

	if err != nil || asked["web"].Quantity == nil || *asked["web"].Quantity != 7 || less.Title != "Scale shop: web=7" {
		t.Errorf("got %+v, %v, %q, want 7: eight more than one, and two fewer", asked["web"], err, less.Title)
	}
	one := 1
	for _, c := range []ProcessChange{{More: -8}, {More: 1000}, {More: 1, Quantity: &one}} {
		if _, err := change(c); cluster.CodeOf(err) != cluster.CodeInvalid {
			t.Errorf("%+v: got %v, want it refused", c, err)
		}
	}
}

// What a person has set stands over what the source asks for until it is taken back,
// part by part.
func TestChangeFormation_TakesBackWhatAPersonSet(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	two, five := 2, 5
	r.Deploy(app, cluster.ProcessType{Name: "web", Quantity: &two, Limits: cluster.Limits{Memory: 256 << 20, CPUs: 0.5}})
	r.load = cluster.Load{MemoryTotal: 16 << 30, CPUs: 8}
	r.report(r.newNode("n1", cluster.RoleHeart))
	change := func(c ProcessChange) (cluster.Operation, error) {
		return r.ChangeFormation(t.Context(), app, map[string]ProcessChange{"web": c}, "ann")
	}
	is := func(quantity int, memory int64, cpus float64, set ProcessSet) {
		t.Helper()
		list, err := r.Formation(t.Context(), app)
		testkit.Must(t, err)
		want := ProcessView{Process: list[0].Process, Quantity: quantity, Limits: cluster.Limits{Memory: memory, CPUs: cpus}, Set: set}
		if diff := cmp.Diff(want, list[0]); diff != "" {
			t.Errorf("formation (-want +got):\n%s", diff)
		}
	}
	is(2, 256<<20, 0.5, ProcessSet{})
	_, err := change(ProcessChange{Quantity: &five, Limits: cluster.Limits{Memory: 1 << 30, CPUs: 2}})
	testkit.Must(t, err)
	is(5, 1<<30, 2, ProcessSet{Quantity: true, Memory: true, CPUs: true})

	quantity, err := change(ProcessChange{Reset: ProcessSet{Quantity: true}})
	testkit.Must(t, err)
	is(2, 1<<30, 2, ProcessSet{Memory: true, CPUs: true})
	limits, err := change(ProcessChange{Reset: ProcessSet{Memory: true, CPUs: true}})
	testkit.Must(t, err)
	is(2, 256<<20, 0.5, ProcessSet{})
	_, both := change(ProcessChange{Quantity: &five, Reset: ProcessSet{Quantity: true}})

	args, err := limits.Request()
	if quantity.Title != "Scale shop: web quantity of the source" || limits.Title != "Scale shop: web memory and cpus of the source" ||
		err != nil || !slices.Equal(args.Relimited, []string{"web"}) {
		t.Errorf("got %q, and %q of %+v (%v), want the latter to replace the instances of web", quantity.Title, limits.Title, args, err)
	}
	if cluster.CodeOf(both) != cluster.CodeInvalid {
		t.Errorf("a quantity set and taken back at once: got %v, want it refused", both)
	}
}

// A required tag that no node has is refused with what to do; one that some have moves
// the instances that are elsewhere, and no other.
func TestChangeFormation_MovesWhatATagDoesNotAllow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	two := 2
	release := r.Deploy(app, cluster.ProcessType{Name: "web", Quantity: &two, Tags: cluster.Tags{Prefer: []cluster.Tag{{Key: "region", Value: "eu"}}}})
	r.load = cluster.Load{MemoryTotal: 16 << 30, CPUs: 8}
	fast, slow := r.newNode("fast", cluster.RoleHeart), r.newNode("slow", cluster.RoleHeart)
	r.report(fast)
	r.report(slow)
	stays, goes := r.Instance(release, "web", fast), r.Instance(release, "web", slow)
	ssd := ProcessChange{Tags: cluster.Tags{Require: []cluster.Tag{{Key: "disk", Value: "ssd"}}}}
	change := func(c ProcessChange) (cluster.Operation, error) {
		return r.ChangeFormation(t.Context(), app, map[string]ProcessChange{"web": c}, "ann")
	}

	_, err := change(ssd)
	wantConflict(t, "no node has it", err, "web=2 of 512 MB each on nodes with disk=ssd is more than the nodes could ever hold, 0 at most if nothing else ran there: fast and slow lack tag disk=ssd (ask for less, set the tags on a node, aorta nodes tag NODE KEY=VALUE, or")
	_, err = r.store.SetTags(t.Context(), fast, map[string]string{"disk": "ssd"}, "ann")
	testkit.Must(t, err)
	op, err := change(ssd)
	testkit.Must(t, err)
	w, err := r.work(t.Context(), op.ID)
	testkit.Must(t, err)
	testkit.Must(t, r.setTarget(t.Context(), &w))
	room, err := r.room(t.Context())
	testkit.Must(t, err)
	chosen, err := room.choose(app.ID, release, "web", w.asked, 3)

	if op.Title != "Scale shop: web requires disk=ssd" || !slices.Equal(w.target.Replace, []cluster.ID{goes}) {
		t.Errorf("got %q replace %v, want %s alone, and %s to stay", op.Title, w.target.Replace, goes, stays)
	}
	if err != nil || !slices.Equal(chosen, []cluster.ID{fast.ID, fast.ID, fast.ID}) {
		t.Errorf("got %v, %v, want all on %s", chosen, err, fast.ID)
	}
	list, err := r.Formation(t.Context(), app)
	testkit.Must(t, err)
	if v := list[0]; len(v.Tags.Require) != 1 || len(v.Tags.Prefer) != 1 || v.Set != (ProcessSet{Require: true}) {
		t.Errorf("got %+v, want the person's tag beside the source's", v)
	}
	back, err := change(ProcessChange{Reset: ProcessSet{Require: true}})
	testkit.Must(t, err)
	_, both := change(ProcessChange{Tags: ssd.Tags, Reset: ProcessSet{Require: true}})
	if back.Title != "Scale shop: web require of the source" || cluster.CodeOf(both) != cluster.CodeInvalid {
		t.Errorf("got %q, and %v for both at once, want that refused", back.Title, both)
	}
}

// A scaling that fails leaves what it found: its own instances go, unless there is
// no other of their type, and its retry begins anew.
func TestChangeFormation_ThatFailsLeavesWhatItFound(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	release := r.Deploy(app, cluster.ProcessType{Name: "web"}, cluster.ProcessType{Name: "worker"})
	node := r.newNode("n1", cluster.RoleHeart)
	old := r.Instance(release, "web", node)
	one, three := 1, 3
	op, err := r.ChangeFormation(t.Context(), app, map[string]ProcessChange{"web": {Quantity: &three}, "worker": {Quantity: &one}}, "ann")
	testkit.Must(t, err)
	own := r.started(op, release, node, "web", "web", "worker")

	op = r.finish(op, jobs.Failed)

	if want := "The formation is as before: web=1, worker=0 (a retry changes that again)"; !strings.HasSuffix(op.Error, want) {
		t.Errorf("got the cause %q, want it to end with %q", op.Error, want)
	}
	asked, err := r.store.Formations(t.Context(), app.ID)
	if err != nil || len(asked) > 0 {
		t.Errorf("got formation %v, %v, want none", asked, err)
	}
	r.wantState("the one of before", old, cluster.InstanceRunning)
	r.wantState("one of the two more", own[0], cluster.InstanceDraining)
	r.wantState("the other one", own[1], cluster.InstanceDraining)
	r.wantState("the only worker", own[2], cluster.InstanceRunning)

	again, err := r.Retry(t.Context(), op, "bob")
	testkit.Must(t, err)
	if asked, err = r.store.Formations(t.Context(), app.ID); err != nil || asked["web"].Quantity == nil || *asked["web"].Quantity != 3 {
		t.Errorf("got formation %v, %v for the retry, want web=3", asked, err)
	}
	testkit.Must(t, r.store.Promote(t.Context(), store.Promotion{Cause: again.ID, App: app.ID}))
	late := r.started(again, release, node, "web")
	if again = r.finish(again, jobs.Failed); strings.Contains(again.Error, "formation") {
		t.Errorf("got the cause %q once it was live, want nothing of the formation", again.Error)
	}
	r.wantState("what is live", late[0], cluster.InstanceRunning)
}

// started are instances that an operation started, and that run.
func (r *rig) started(op cluster.Operation, release cluster.Release, node cluster.Node, types ...string) []cluster.ID {
	r.TB.Helper()
	ids := make([]cluster.ID, len(types))
	for i, typ := range types {
		ids[i] = cluster.NewID()
		testkit.Must(r.TB, r.store.Assign(r.TB.Context(), []store.Assignment{{ID: ids[i], App: op.AppID, Release: release.ID, Type: typ, Node: node.ID, NeedsPort: true, Operation: op.ID}}))
		r.report(node, cluster.InstanceStatus{ID: ids[i], State: cluster.InstanceRunning})
	}
	return ids
}

func (r *rig) wantState(what string, id cluster.ID, want cluster.InstanceState) {
	r.TB.Helper()
	if in, err := r.store.Instance(r.TB.Context(), id); err != nil || in.State != want {
		r.TB.Errorf("%s: got %s, %v, want %s", what, in.State, err, want)
	}
}
