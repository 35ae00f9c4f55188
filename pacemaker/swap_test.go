package pacemaker

import (
	"slices"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// newMonopoly has an app with a web and an exclusive db on n2, of three hearts.
func newMonopoly(t *testing.T) (f *fleet, db cluster.ID) {
	t.Helper()
	f = &fleet{rig: newRig(t), on: map[cluster.ID]cluster.ID{}}
	f.load.MemoryTotal = 8 << 30
	one := 1
	f.app = f.App("shop")
	f.release = f.Deploy(f.app, cluster.ProcessType{Name: "web"}, cluster.ProcessType{Name: "db", Quantity: &one, Exclusive: true})
	for i, roles := range [][]cluster.Role{{cluster.RoleHeart, cluster.RolePacemaker}, {cluster.RoleHeart}, {cluster.RoleHeart}} {
		n := f.newNode("n"+string(rune('1'+i)), roles...)
		f.report(n)
		f.nodes = append(f.nodes, n)
	}
	f.Instance(f.release, "web", f.nodes[0])
	return f, f.Instance(f.release, "db", f.nodes[1])
}

// does runs a job of an operation's tree; a job below it as it was grafted.
func (r *rig) does(op cluster.Operation, kind string, args any) (*grafts, error) {
	got := &grafts{}
	_, err := r.Handlers()[kind](r.TB.Context(), jobs.NewRun(jobs.Job{ID: "j", Tree: string(op.ID), Kind: kind, Args: encoded(args)}, 1, got))
	return got, err
}

func (f *fleet) awaitState(id cluster.ID, state cluster.InstanceState) {
	f.TB.Helper()
	testkit.Eventually(f.TB, id.Short()+" to be "+string(state), func() bool { return f.stateOf(id) == state })
}

// The others start first; then the one there is ends, and only once it is gone another
// one is assigned.
func TestSwap_StartsOneOnceTheOtherIsGone(t *testing.T) {
	t.Parallel()
	f, db := newMonopoly(t)
	op, err := f.Restart(t.Context(), f.app, "", "ann")
	testkit.Must(t, err)

	placed, err := f.does(op, cluster.JobPlace, cluster.OperationArgs{Operation: op.ID})
	testkit.Must(t, err)
	if len(placed.specs) != 1 || placed.specs[0].Kind != cluster.JobSwap || len(placed.specs[0].Children) != 1 || placed.specs[0].Queue != TurnQueue {
		t.Fatalf("got the jobs %+v, want a swap after the start of web", placed.specs)
	}
	early := f.stateOf(db)
	type outcome struct {
		got *grafts
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		got, err := f.does(op, cluster.JobSwap, cluster.SwapArgs{Operation: op.ID, Types: []string{"db"}})
		done <- outcome{got, err}
	}()
	f.awaitState(db, cluster.InstanceDraining)
	before, err := f.store.InstancesByOperation(t.Context(), op.ID)
	testkit.Must(t, err)
	f.report(f.nodes[1], cluster.InstanceStatus{ID: db, State: cluster.InstanceStopped, Gone: true})
	swapped := <-done
	testkit.Must(t, swapped.err)
	after, err := f.store.InstancesByOperation(t.Context(), op.ID)
	testkit.Must(t, err)

	isDB := func(in cluster.Instance) bool { return in.Type == "db" }
	if early != cluster.InstanceRunning || slices.ContainsFunc(before, isDB) || !slices.ContainsFunc(after, isDB) {
		t.Errorf("got db %s while web starts, %+v while it drains and %+v once it is gone; want it running, no other, and one", early, before, after)
	}
	if len(swapped.got.specs) != 1 || swapped.got.specs[0].Kind != cluster.JobInstanceStart || !strings.Contains(strings.Join(swapped.got.lines, "\n"), "db is interrupted") {
		t.Errorf("got the jobs %+v and %q", swapped.got.specs, swapped.got.lines)
	}
}

// Without room for its successor, nothing ends.
func TestSwap_EndsNothingWithoutRoom(t *testing.T) {
	t.Parallel()
	f, db := newMonopoly(t)
	op, err := f.Restart(t.Context(), f.app, "db", "ann")
	testkit.Must(t, err)
	f.load.MemoryTotal = 256 << 20
	for _, n := range f.nodes {
		f.report(n)
	}

	_, err = f.does(op, cluster.JobSwap, cluster.SwapArgs{Operation: op.ID, Types: []string{"db"}})

	if err == nil || !strings.Contains(err.Error(), "place db: ") || f.stateOf(db) != cluster.InstanceRunning {
		t.Errorf("got %v and db %s, want it refused and db running", err, f.stateOf(db))
	}
}

// What is exclusive on a node that is merely silent may still run: nothing starts in its
// place, and the status says what to do, until somebody has done it.
func TestLostNode_WhatIsExclusiveThereWaitsForAPersonsWord(t *testing.T) {
	t.Parallel()
	f, db := newMonopoly(t)

	f.pass(60*time.Second, 2)
	begun, said := f.open(cluster.OpReplace), f.concerns()
	op, err := f.Restart(t.Context(), f.app, "db", "ann")
	testkit.Must(t, err)
	_, refused := f.does(op, cluster.JobPlace, cluster.OperationArgs{Operation: op.ID})
	f.finish(op, jobs.Failed)
	_, unheard := f.Nodes.InstanceSpec(t.Context(), f.nodes[1], db)
	n2, err := f.store.Node(t.Context(), f.nodes[1].ID)
	testkit.Must(t, err)
	testkit.Must(t, f.Nodes.DeclareDead(t.Context(), n2, "ann"))
	f.pass(5*time.Second, 2)
	replaced := f.open(cluster.OpReplace)

	want := "db." + db.Short() + " of shop may still run on n2, which is dead; it is exclusive, so no other one starts before the node is back, or you say that its machine is dead: aorta nodes declare-dead n2"
	if len(begun) != 0 || !slices.Contains(said, want+".") || refused == nil || refused.Error() != want {
		t.Errorf("got %+v begun, the concerns %q and %v for a restart; want none, and %q", begun, said, refused, want)
	}
	if cluster.CodeOf(unheard) != cluster.CodeUnavailable {
		t.Errorf("got %v for a heart that has not reported, want it to ask again", unheard)
	}
	if len(replaced) != 1 {
		t.Fatalf("got the replacements %+v once it is declared dead, want one", replaced)
	}
	f.takesOver(replaced[0], db)
}

// One that its heart has promised to stop is replaced once its node counts as dead by as
// long a silence, without anybody's word; not where that is shorter than was promised.
func TestLostNode_WhatStopsWhenCutOffIsReplacedBySilence(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		promised time.Duration
		replaced int
	}{{0, 0}, {8 * time.Second, 1}, {time.Hour, 0}} {
		f, db := newMonopoly(t)
		f.report(f.nodes[1], cluster.InstanceStatus{ID: db, State: cluster.InstanceRunning, StopsAfter: c.promised})

		f.pass(60*time.Second, 2)
		replaced, said := f.open(cluster.OpReplace), strings.Join(f.concerns(), "\n")

		if len(replaced) != c.replaced || strings.Contains(said, "may still run on n2") != (c.replaced == 0) {
			t.Errorf("promised after %s: got %d replacements and the concerns %q, want %d", c.promised, len(replaced), said, c.replaced)
		}
		if len(replaced) == 1 {
			f.takesOver(replaced[0], db)
		}
	}
}

// takesOver has an operation assign db, after which the former one gets no leave.
func (f *fleet) takesOver(op cluster.Operation, former cluster.ID) {
	f.TB.Helper()
	_, err := f.does(op, cluster.JobSwap, cluster.SwapArgs{Operation: op.ID, Types: []string{"db"}})
	testkit.Must(f.TB, err)
	f.pass(time.Second)
	_, err = f.Nodes.InstanceSpec(f.TB.Context(), f.nodes[1], former)
	if cluster.CodeOf(err) != cluster.CodeNotFound || f.stateOf(former) != cluster.InstanceDraining {
		f.TB.Errorf("got %v for the former db, which is %s; want it not found", err, f.stateOf(former))
	}
}

// Whatever else goes wrong, a second one is refused where it is written down.
func TestAssign_RefusesASecondOfWhatIsExclusive(t *testing.T) {
	t.Parallel()
	f, db := newMonopoly(t)
	op := f.Begin(f.app, cluster.OpReplace, cluster.Request{})
	second := []store.Assignment{{ID: cluster.NewID(), App: f.app.ID, Release: f.release.ID, Type: "db", Node: f.nodes[2].ID, Operation: op.ID, Exclusive: true}}

	while := f.store.Assign(t.Context(), second)
	f.pass(60*time.Second, 2)
	lost := f.store.Assign(t.Context(), second)
	f.report(f.nodes[1], cluster.InstanceStatus{ID: db, State: cluster.InstanceFailed, Gone: true})
	gone := f.store.Assign(t.Context(), second)

	if cluster.CodeOf(while) != cluster.CodeConflict || cluster.CodeOf(lost) != cluster.CodeConflict || gone != nil {
		t.Errorf("got %v while it runs, %v while its node is silent and %v once it is gone; want conflicts, and none", while, lost, gone)
	}
}

// More than one is refused, when it is asked for and when a release makes it exclusive.
func TestExclusive_IsOneAtMost(t *testing.T) {
	t.Parallel()
	f, _ := newMonopoly(t)
	three := 3

	_, scaled := f.ChangeFormation(t.Context(), f.app, map[string]ProcessChange{"db": {Quantity: &three}}, "ann")
	before := f.quantityOfDB()
	err := cluster.ProcessType{Name: "db", Quantity: &three, Exclusive: true}.Validate("processes.db")

	if cluster.CodeOf(scaled) != cluster.CodeInvalid || !strings.Contains(scaled.Error(), "db is exclusive") || before != 1 {
		t.Errorf("got %v and %d, want it refused", scaled, before)
	}
	if cluster.CodeOf(err) != cluster.CodeInvalid {
		t.Errorf("got %v for a process type that asks for three", err)
	}
}

func (f *fleet) quantityOfDB() int {
	f.TB.Helper()
	list, err := f.Formation(f.TB.Context(), f.app)
	testkit.Must(f.TB, err)
	return list[slices.IndexFunc(list, func(v ProcessView) bool { return v.Process.Name == "db" })].Quantity
}

func TestRelease_IsRefusedWhereMoreThanOneIsSetOfWhatBecomesExclusive(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop := r.App("shop")
	r.Deploy(shop, cluster.ProcessType{Name: "db"})
	r.load.MemoryTotal = 8 << 30
	r.report(r.newNode("n1", cluster.RoleHeart))
	three := 3
	op, err := r.ChangeFormation(t.Context(), shop, map[string]ProcessChange{"db": {Quantity: &three}}, "ann")
	testkit.Must(t, err)
	r.finish(op, jobs.Succeeded)
	next := r.BeginDeploy(shop, "img:2")
	req, err := next.Request()
	testkit.Must(t, err)
	testkit.Must(t, r.store.EndBuild(t.Context(), req.Build, cluster.BuildResult{State: cluster.BuildReady, Processes: []cluster.ProcessType{{Name: "db", Exclusive: true}}}))

	_, err = r.does(next, cluster.JobRelease, cluster.OperationArgs{Operation: next.ID})

	if err == nil || !strings.Contains(err.Error(), "db is exclusive in this release, one instance of it at most, and was set to 3 (first run aorta ps scale -a shop db=1)") {
		t.Errorf("got %v, want it refused with the next step", err)
	}
}

// A drain moves what is exclusive as well, but says that it ends first; a spread is no
// reason to move it.
func TestMoves_OfWhatIsExclusive(t *testing.T) {
	t.Parallel()
	f, db := newMonopoly(t)
	preview, err := f.PreviewDrain(t.Context(), f.nodes[1])
	testkit.Must(t, err)

	_, err = f.DrainNode(t.Context(), f.nodes[1], "ann")
	testkit.Must(t, err)
	f.pass(2 * time.Second)
	ops := f.open(cluster.OpReplace)

	if len(ops) != 1 || ops[0].Title != "Move db."+db.Short()+" of shop off n2" || f.stateOf(db) != cluster.InstanceRunning {
		t.Errorf("got %+v, and db %s; want its move, and it running until its successor has room", ops, f.stateOf(db))
	}
	if !slices.ContainsFunc(preview.Steps, func(s PreviewStep) bool { return s.Instance == db && s.Exclusive }) {
		t.Errorf("got the preview %+v, want it said that db is interrupted", preview.Steps)
	}
}

// A node at work is not removed while it runs what is exclusive: that would end after
// another one has started. Of one that is dead, its removal says that its machine is.
func TestRemove_WaitsForWhatIsExclusive(t *testing.T) {
	t.Parallel()
	f, db := newMonopoly(t)

	_, refused := f.Members.Remove(t.Context(), f.nodes[1], "ann")
	f.pass(30*time.Second, 2)
	n2, err := f.store.Node(t.Context(), f.nodes[1].ID)
	testkit.Must(t, err)
	_, err = f.Members.Remove(t.Context(), n2, "ann")
	testkit.Must(t, err)
	f.nodes = slices.Delete(f.nodes, 1, 2)
	f.pass(2 * time.Second)

	if cluster.CodeOf(refused) != cluster.CodeConflict || !strings.Contains(refused.Error(), "db."+db.Short()+` on node "n2" is exclusive`) {
		t.Errorf("got %v for a node at work, want it refused", refused)
	}
	if len(f.open(cluster.OpReplace)) != 1 {
		t.Errorf("got %+v once it is removed, want db replaced", f.open(cluster.OpReplace))
	}
}
