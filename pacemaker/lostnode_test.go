package pacemaker

import (
	"slices"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// fleet is an app on some nodes, over time.
type fleet struct {
	*rig
	app     cluster.App
	release cluster.Release
	nodes   []cluster.Node
	on      map[cluster.ID]cluster.ID // the instance on each node
}

// newFleet has an app with one instance on each of n hearts; the first one is the
// pacemaker's.
func newFleet(t *testing.T, n int) *fleet {
	t.Helper()
	f := &fleet{rig: newRig(t), on: map[cluster.ID]cluster.ID{}}
	f.app = f.App("shop")
	f.release = f.Deploy(f.app)
	for i := range n {
		roles := []cluster.Role{cluster.RoleHeart}
		if i == 0 {
			roles = append(roles, cluster.RolePacemaker)
		}
		node := f.newNode("n"+string(rune('1'+i)), roles...)
		f.report(node)
		f.nodes, f.on[node.ID] = append(f.nodes, node), f.Instance(f.release, "web", node)
	}
	f.scaleTo(f.app, n)
	return f
}

// pass lets time pass in seconds, in which all nodes speak but those named, and the
// loops go round.
func (f *fleet) pass(d time.Duration, silent ...int) {
	f.TB.Helper()
	for range int(d / time.Second) {
		f.Clock.Forward(time.Second)
		for i, n := range f.nodes {
			if !slices.Contains(silent, i+1) {
				f.report(n)
			}
		}
		testkit.Must(f.TB, f.Nodes.Judge(f.TB.Context()))
		f.round()
	}
}

func (f *fleet) stateOf(id cluster.ID) cluster.InstanceState {
	f.TB.Helper()
	in, err := f.store.Instance(f.TB.Context(), id)
	testkit.Must(f.TB, err)
	return in.State
}

// replaceOn has the one replacement that is open start an instance on a node and end.
func (f *fleet) replaceOn(node cluster.Node) cluster.ID {
	f.TB.Helper()
	ops := f.open(cluster.OpReplace)
	if len(ops) != 1 {
		f.TB.Fatalf("got %d open replacements, want one", len(ops))
	}
	id := f.InstanceBy(ops[0].ID, f.release, "web", node)
	f.finish(ops[0], jobs.Succeeded)
	return id
}

func TestLostNode_IsReplacedAfterItsTimeAndServesUntilThen(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	lost := f.on[f.nodes[2].ID]

	f.pass(14*time.Second, 3)
	early := len(f.open(cluster.OpReplace))
	f.pass(2*time.Second, 3)
	during, said := f.stateOf(lost), f.concerns()
	f.replaceOn(f.nodes[1])
	f.pass(time.Second, 3)
	after, retired := f.stateOf(lost), f.open(cluster.OpRetire)
	said = append(said, f.concerns()...)

	if early != 0 || during != cluster.InstanceRunning {
		t.Errorf("got %d replacements before the time was over, and the lost instance %s before another one ran", early, during)
	}
	for _, want := range []string{"Node n3 is dead: 1 instance there is not replaced yet, and it", "Node n3 is dead: all that ran there runs elsewhere, and it"} {
		if !slices.ContainsFunc(said, func(text string) bool { return strings.HasPrefix(text, want) }) {
			t.Errorf("got the concerns %q, want %q", said, want)
		}
	}
	if after != cluster.InstanceDraining || len(retired) != 0 {
		t.Errorf("got the lost instance %s and stops of it %v, want it out of the routes, and stopped once its node is back", after, retired)
	}
	f.pass(10 * time.Second)
	if retired = f.open(cluster.OpRetire); len(retired) != 1 || len(f.open(cluster.OpReplace)) != 0 {
		t.Errorf("got stops %v and replacements %v once the node is back, want one and none", retired, f.open(cluster.OpReplace))
	}
}

// A node that is back before its replacement runs is not stopped before it does, and
// then one of the two wins: the one on the node that was not lost.
func TestLostNode_ReturnsBeforeItIsReplaced(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	f.pass(17*time.Second, 3)
	f.pass(5 * time.Second)
	during := f.stateOf(f.on[f.nodes[2].ID])
	new := f.replaceOn(f.nodes[1])

	f.pass(2 * time.Second)

	got := []cluster.InstanceState{f.stateOf(f.on[f.nodes[0].ID]), f.stateOf(f.on[f.nodes[1].ID]), f.stateOf(f.on[f.nodes[2].ID]), f.stateOf(new)}
	want := []cluster.InstanceState{cluster.InstanceRunning, cluster.InstanceRunning, cluster.InstanceDraining, cluster.InstanceRunning}
	if during != cluster.InstanceRunning || !slices.Equal(got, want) {
		t.Errorf("got %s, then %v; want running, then %v", during, got, want)
	}
}

func TestLostNode_NothingIsReplacedWhileMostAreSilent(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 4)

	f.pass(3*time.Minute, 2, 3, 4)
	said := f.concerns()
	f.pass(time.Minute, 3, 4)
	f.pass(time.Minute, 4)
	f.pass(time.Minute)

	ops, err := f.store.OpenOperations(t.Context())
	testkit.Must(t, err)
	if len(ops) != 0 {
		t.Errorf("got operations %v, want none", ops)
	}
	want := "3 of 4 nodes are silent (n2, n3, n4), so nothing is replaced: check this machine's own network first. If one of them is lost for good, run aorta nodes declare-dead NODE."
	if !slices.Contains(said, want) || len(said) != 1 {
		t.Errorf("got the concerns %q, want %q alone", said, want)
	}
}

func TestLostNode_DeclaredDeadIsReplacedAtOnce(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 4)
	f.pass(30*time.Second, 2, 3, 4)

	heard := f.Nodes.DeclareDead(t.Context(), f.nodes[0], "ann")
	n4, err := f.store.Node(t.Context(), f.nodes[3].ID)
	testkit.Must(t, err)
	testkit.Must(t, f.Nodes.DeclareDead(t.Context(), n4, "ann"))
	f.pass(time.Second, 2, 3, 4)

	if cluster.CodeOf(heard) != cluster.CodeConflict || len(f.open(cluster.OpReplace)) != 1 {
		t.Errorf("got %v for the pacemaker and replacements %v, want a conflict and one", heard, f.open(cluster.OpReplace))
	}
	f.pass(5*time.Second, 2, 3)
	n2, err := f.store.Node(t.Context(), f.nodes[0].ID)
	testkit.Must(t, err)
	n2.Roles = []cluster.Role{cluster.RoleHeart}
	err = f.Nodes.DeclareDead(t.Context(), n2, "ann")
	if cluster.CodeOf(err) != cluster.CodeConflict || !strings.Contains(err.Error(), "was heard 0s ago") {
		t.Errorf("got %v for a node that reports", err)
	}
}

// A node that comes and goes is replaced once: it gets nothing new for longer and longer.
func TestLostNode_ThatComesAndGoesIsReplacedOnce(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	replaced := 0

	for range 10 {
		for range 20 {
			f.pass(time.Second, 3)
			if len(f.open(cluster.OpReplace)) > 0 {
				replaced++
				nodes, err := f.room(t.Context())
				testkit.Must(t, err)
				chosen, err := nodes.choose(f.app.ID, f.release, "web", nil, 1)
				testkit.Must(t, err)
				if chosen[0] == f.nodes[2].ID {
					t.Fatal("the replacement goes to the node that comes and goes")
				}
				f.replaceOn(f.nodes[1])
			}
		}
		f.pass(20 * time.Second)
	}

	if replaced != 1 {
		t.Errorf("got %d replacements, want one", replaced)
	}
}

// What is to be stopped on a node that dies is stopped once it is back; the stop that is
// under way does not wait for that.
func TestLostNode_EndsTheStopsThatWaitForIt(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	testkit.Must(t, f.store.DrainSurplus(t.Context(), f.app.ID, []cluster.ID{f.on[f.nodes[2].ID]}))
	f.round()
	op := f.open(cluster.OpRetire)[0]

	f.pass(17*time.Second, 3)

	op, err := f.store.Operation(t.Context(), op.ID)
	testkit.Must(t, err)
	if !strings.HasPrefix(op.AbortReason, "node n3 is dead (silent for 1") {
		t.Errorf("got the stop %s (%q), want it aborted, with why", op.State, op.AbortReason)
	}
}

// A hundred apps on a lost node come back in an order: those that are down first.
func TestLostNode_ManyAppsAreReplacedAFewAtATime(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	down := map[cluster.ID]bool{}
	for i := range 20 {
		app := f.App("app" + string(rune('a'+i)))
		release := f.Deploy(app)
		f.Instance(release, "web", f.nodes[1])
		if i%4 > 0 {
			f.Instance(release, "web", f.nodes[0])
			f.scaleTo(app, 2)
		} else {
			down[app.ID] = true
		}
	}

	f.pass(17*time.Second, 2)

	ops := f.open(cluster.OpReplace)
	if len(ops) != replacingApps {
		t.Fatalf("got %d replacements at a time, want %d for the one node left", len(ops), replacingApps)
	}
	for _, op := range ops {
		if !down[op.AppID] {
			t.Errorf("%q comes before apps of which nothing runs", op.Title)
		}
	}
	seen := 0
	for ; len(f.open(cluster.OpReplace)) > 0 && seen < 100; seen++ {
		op := f.open(cluster.OpReplace)[0]
		release, err := f.currentRelease(t.Context(), cluster.App{ID: op.AppID})
		testkit.Must(t, err)
		f.InstanceBy(op.ID, release, "web", f.nodes[0])
		f.finish(op, jobs.Succeeded)
		f.round()
	}
	if seen != 21 {
		t.Errorf("got %d replacements in all, want one of each app", seen)
	}
}

// A preview counts as the operation would: what is on a dead node is not there.
func TestPreview_CountsNothingOnADeadNode(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	f.pass(17*time.Second, 3)
	f.replaceOn(f.nodes[1])
	f.pass(time.Second, 3)
	f.Instance(f.release, "web", f.nodes[2]) // as if it were not given up yet
	four := 4

	got, err := f.PreviewFormation(t.Context(), f.app, map[string]ProcessChange{"web": {Quantity: &four}})

	testkit.Must(t, err)
	starts := 0
	for _, s := range got.Steps {
		if s.Instance == "" && s.Node != "n3" {
			starts++
		}
	}
	if starts != 1 {
		t.Errorf("got %+v, want one instance started, on a node that lives", got.Steps)
	}
}

// What was lost with one node is replaced by its name, whatever failed at some time
// before; what several had is put down to none of them.
func TestLostNode_IsNamedByWhatReplacesItsInstances(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		silent        []int
		title, reason string
	}{
		{[]int{5}, "Replace 1 missing instance of shop, lost with n5", "n5 is dead"},
		{[]int{4, 5}, "Replace 2 missing instances of shop", ""},
	} {
		f := newFleet(t, 5)

		f.pass(20*time.Second, c.silent...)

		ops := f.open(cluster.OpReplace)
		if len(ops) != 1 {
			t.Fatalf("got replacements %v, want one", ops)
		}
		args, err := ops[0].Request()
		testkit.Must(t, err)
		if ops[0].Title != c.title || args.Reason != c.reason {
			t.Errorf("%v silent: got %q because %q, want %q because %q", c.silent, ops[0].Title, args.Reason, c.title, c.reason)
		}
	}
}
