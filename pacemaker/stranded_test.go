package pacemaker

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// restarting has an app restarted on n hearts: its starts, one on each, are in their queues.
func restarting(t *testing.T, n int) (f *fleet, op cluster.Operation) {
	t.Helper()
	f = newFleet(t, n)
	op, err := f.Restart(t.Context(), f.app, "", "ann")
	testkit.Must(t, err)
	f.round()
	f.grafted(op, cluster.JobPlace, cluster.OperationArgs{Operation: op.ID})
	return f, op
}

// grafted runs the job of a kind in an operation's tree, which gets what it grafts.
func (f *fleet) grafted(op cluster.Operation, kind string, args any) *grafts {
	f.TB.Helper()
	got, err := f.does(op, kind, args)
	testkit.Must(f.TB, err)
	f.Jobs.Change(string(op.ID), func(tree *jobs.Tree) {
		j := find(tree, func(j *jobs.Job) bool { return j.Kind == kind && j.State == jobs.Ready })
		testkit.Must(f.TB, errors.Join(tree.Lend(j.ID, "lease"), tree.Start(j.ID, "w", time.Now()), tree.Graft(j.ID, got.specs, time.Now()),
			tree.Finish(j.ID, jobs.Outcome{Kind: jobs.OutcomeSucceeded}, jobs.Policy{}, jobs.Moment{Now: time.Now()})))
	})
	return got
}

func find(tree *jobs.Tree, is func(*jobs.Job) bool) *jobs.Job {
	for _, j := range tree.Jobs {
		if is(j) {
			return j
		}
	}
	return &jobs.Job{}
}

// startOn is the start of an operation on a node, and its instance.
func (f *fleet) startOn(op cluster.Operation, n cluster.Node) (*jobs.Tree, *jobs.Job, cluster.Instance) {
	f.TB.Helper()
	tree, err := f.Jobs.Tree(f.TB.Context(), string(op.ID))
	testkit.Must(f.TB, err)
	start := find(tree, func(j *jobs.Job) bool {
		return j.Kind == cluster.JobInstanceStart && j.Queue == jobs.NodeQueue(string(n.ID))
	})
	list, err := f.store.InstancesByOperation(f.TB.Context(), op.ID)
	testkit.Must(f.TB, err)
	i := slices.IndexFunc(list, func(in cluster.Instance) bool { return in.NodeID == n.ID })
	if i < 0 || start.ID == "" {
		f.TB.Fatalf("got the instances %+v and the job %+v, want one of each on %s", list, start, n.Name)
	}
	return tree, start, list[i]
}

// runs ends a job of a tree well.
func (f *fleet) runs(op cluster.Operation, id string) {
	f.Jobs.Change(string(op.ID), func(tree *jobs.Tree) {
		testkit.Must(f.TB, errors.Join(tree.Lend(id, "lease"), tree.Start(id, "w", time.Now()),
			tree.Finish(id, jobs.Outcome{Kind: jobs.OutcomeSucceeded}, jobs.Policy{}, jobs.Moment{Now: time.Now()})))
	})
}

// What an operation was to start on a node that dies starts on another one, in its tree;
// where that has run already, before it serves, too.
func TestStranded_IsPlacedAnewInTheSameTree(t *testing.T) {
	t.Parallel()
	for what, ran := range map[string]bool{"that was to start": false, "that ran": true} {
		f, op := restarting(t, 3)
		_, start, was := f.startOn(op, f.nodes[2])
		state, place := jobs.Superseded, cluster.JobPlace
		if ran {
			state, place = jobs.Succeeded, cluster.JobPublish
			for _, n := range f.nodes {
				_, j, in := f.startOn(op, n)
				f.runs(op, j.ID)
				f.Reported(n, cluster.InstanceStatus{ID: in.ID, State: cluster.InstanceRunning})
			}
		}

		f.pass(17*time.Second, 3)
		tree, err := f.Jobs.Tree(t.Context(), string(op.ID))
		testkit.Must(t, err)
		anew := find(tree, func(j *jobs.Job) bool { return j.Kind == cluster.JobPlaceAnew })
		got := f.grafted(op, cluster.JobPlaceAnew, cluster.InstanceArgs{Operation: op.ID, Instance: was.ID})
		f.pass(5*time.Second, 3)
		again, err := f.does(op, cluster.JobPlaceAnew, cluster.InstanceArgs{Operation: op.ID, Instance: was.ID})
		testkit.Must(t, err)

		now, err := f.store.Operation(t.Context(), op.ID)
		testkit.Must(t, err)
		if now.State != cluster.OperationOpen || now.AbortReason != "" || tree.Jobs[start.ID].State != state || tree.Jobs[anew.Parent].Kind != place {
			t.Errorf("%s: got the operation %s (%q), its start %s and what comes instead under %q; want it open, %s, under %s",
				what, now.State, now.AbortReason, tree.Jobs[start.ID].State, tree.Jobs[anew.Parent].Kind, state, place)
		}
		if len(got.specs) != 1 || got.specs[0].Subject.Node == "n3" || len(again.specs) != 1 || got.specs[0].ID != again.specs[0].ID || f.stateOf(was.ID) != cluster.InstanceDraining {
			t.Errorf("%s: got the starts %+v, again %+v, and the first one %s; want one on another node, the same, and draining", what, got.specs, again.specs, f.stateOf(was.ID))
		}
		if line := strings.Join(got.lines, "\n"); !strings.Contains(line, "instead of "+was.Name()) {
			t.Errorf("%s: got the log %q", what, line)
		}
		f.pass(5 * time.Second)
		f.finish(op, jobs.Succeeded)
		f.round()
		if retires := f.open(cluster.OpRetire); len(retires) == 0 {
			t.Errorf("%s: got no stop of the first one once its node is back", what)
		}
	}
}

// What runs on a node that died does not serve: routes wait for what is placed instead.
func TestStranded_RoutesWaitForWhatIsPlacedInstead(t *testing.T) {
	t.Parallel()
	f, op := restarting(t, 3)
	_, _, was := f.startOn(op, f.nodes[2])
	allRun := func() bool {
		all, err := f.allRun(t.Context(), op)
		testkit.Must(t, err)
		return all
	}
	runs := func(n cluster.Node, id cluster.ID) {
		f.Reported(n, cluster.InstanceStatus{ID: id, State: cluster.InstanceRunning})
	}
	for _, n := range f.nodes {
		_, _, in := f.startOn(op, n)
		runs(n, in.ID)
	}

	before := allRun()
	f.pass(17*time.Second, 3)
	lost := allRun()
	f.grafted(op, cluster.JobPlaceAnew, cluster.InstanceArgs{Operation: op.ID, Instance: was.ID})
	placed := allRun()
	in, err := f.store.Instance(t.Context(), cluster.DeriveID(was.ID, "instead", 0))
	testkit.Must(t, err)
	node, err := f.store.Node(t.Context(), in.NodeID)
	testkit.Must(t, err)
	runs(node, in.ID)
	f.Reported(f.nodes[2], cluster.InstanceStatus{ID: was.ID, State: cluster.InstanceStopped, Gone: true})
	after := allRun()

	if !before || lost || placed || !after {
		t.Errorf("got %v with all running, %v with one on a dead node, %v while another one starts and %v once it runs", before, lost, placed, after)
	}
}

// A tree that is lost and planted again starts what was placed anew, and nothing on the
// node that died.
func TestStranded_IsNotStartedByATreeThatIsPlantedAgain(t *testing.T) {
	t.Parallel()
	f, op := restarting(t, 3)
	_, _, was := f.startOn(op, f.nodes[2])
	f.pass(17*time.Second, 3)
	f.grafted(op, cluster.JobPlaceAnew, cluster.InstanceArgs{Operation: op.ID, Instance: was.ID})
	f.Jobs.Drop(string(op.ID))
	f.pass(time.Second, 3)

	got, err := f.does(op, cluster.JobPlace, cluster.OperationArgs{Operation: op.ID})

	testkit.Must(t, err)
	on := map[string]int{}
	for _, s := range got.specs {
		on[s.Subject.Node]++
	}
	if len(got.specs) != 3 || on["n3"] != 0 {
		t.Errorf("got starts on %v, want three, none of them on n3", on)
	}
}

// What waited for its image on a node that dies ends with all that was to provide it, and
// is placed anew once.
func TestStranded_TakesWithItWhatItWaitedFor(t *testing.T) {
	t.Parallel()
	f, op := restarting(t, 3)
	_, start, was := f.startOn(op, f.nodes[2])
	n3, n2 := jobs.NodeQueue(string(f.nodes[2].ID)), jobs.NodeQueue(string(f.nodes[1].ID))
	again := jobs.Spec{ID: "again", Kind: cluster.JobInstanceStart, Queue: n3, Args: encoded(cluster.InstanceArgs{Operation: op.ID, Instance: was.ID})}
	push := jobs.Spec{ID: "push", Kind: cluster.JobBuild, Queue: n3, Args: encoded(cluster.BuildArgs{Operation: op.ID, Build: f.release.BuildID})}
	other := jobs.Spec{ID: "other", Kind: cluster.JobBuild, Queue: n2, Args: push.Args}
	f.Jobs.Change(string(op.ID), func(tree *jobs.Tree) {
		testkit.Must(t, errors.Join(tree.Lend(start.ID, "lease"), tree.Start(start.ID, "w", time.Now()), tree.Graft(start.ID, []jobs.Spec{again}, time.Now()),
			tree.Graft(tree.ID, []jobs.Spec{push, other}, time.Now())))
	})

	f.pass(17*time.Second, 3)

	tree, err := f.Jobs.Tree(t.Context(), string(op.ID))
	testkit.Must(t, err)
	states := map[string]int{}
	for _, j := range tree.Jobs {
		if j.Kind == cluster.JobPlaceAnew || j.Kind == cluster.JobBuild || j.Queue == n3 {
			states[j.Kind+" "+string(j.State)]++
		}
	}
	// A builder makes what the dead node was to push; what others push goes on.
	want := map[string]int{"instance.start superseded": 2, "place.anew ready": 1, "build superseded": 1, "build ready": 2}
	for k, n := range want {
		if states[k] != n {
			t.Errorf("got the jobs %v, want %v", states, want)
			break
		}
	}
}

// Once others are placed instead, the end of the dead node ends nothing.
func TestStranded_LeavesNothingThatWaitsForTheNode(t *testing.T) {
	t.Parallel()
	f, op := restarting(t, 3)
	_, _, was := f.startOn(op, f.nodes[2])

	before, err := f.waitingFor(t.Context(), f.nodes[2])
	testkit.Must(t, err)
	f.pass(17*time.Second, 3)
	f.grafted(op, cluster.JobPlaceAnew, cluster.InstanceArgs{Operation: op.ID, Instance: was.ID})
	after, err := f.waitingFor(t.Context(), f.nodes[2])
	testkit.Must(t, err)

	if len(before) != 1 || len(after) != 0 {
		t.Errorf("got %+v that wait for it, and %+v once it is placed anew; want the restart, and none", before, after)
	}
}

// Without room elsewhere the operation fails and says why.
func TestStranded_WithoutRoomSaysWhy(t *testing.T) {
	t.Parallel()
	f, op := restarting(t, 3)
	_, _, was := f.startOn(op, f.nodes[2])
	f.load.MemoryTotal = 600 << 20
	f.pass(17*time.Second, 3)

	_, err := f.does(op, cluster.JobPlaceAnew, cluster.InstanceArgs{Operation: op.ID, Instance: was.ID})

	if err == nil || !strings.HasPrefix(err.Error(), "place "+was.Name()+" anew: ") || f.stateOf(was.ID) == cluster.InstanceDraining {
		t.Errorf("got %v and the first one %s", err, f.stateOf(was.ID))
	}
}

// What has ended by itself, and what nothing can take the place of, ends the operation,
// which would wait for the node for ever.
func TestStranded_EndsWhatCanNotGoOn(t *testing.T) {
	t.Parallel()
	for what, prepare := range map[string]func(*fleet, cluster.Operation){
		"node n3 is dead, and web.": func(f *fleet, op cluster.Operation) {
			_, _, in := f.startOn(op, f.nodes[2])
			f.Reported(f.nodes[2], cluster.InstanceStatus{ID: in.ID, State: cluster.InstanceFailed, Error: "it exited with 1"})
		},
		"node n3 is dead": func(f *fleet, op cluster.Operation) {
			other := jobs.Spec{ID: "other", Kind: "of.a.later.version", Queue: jobs.NodeQueue(string(f.nodes[2].ID))}
			f.Jobs.Change(string(op.ID), func(tree *jobs.Tree) { testkit.Must(t, tree.Graft(tree.ID, []jobs.Spec{other}, time.Now())) })
		},
	} {
		f, op := restarting(t, 3)
		prepare(f, op)

		f.pass(17*time.Second, 3)

		op, err := f.store.Operation(t.Context(), op.ID)
		testkit.Must(t, err)
		if !strings.HasPrefix(op.AbortReason, what) {
			t.Errorf("got the restart aborted by %q, want %q", op.AbortReason, what)
		}
	}
}

// Nothing is placed anew for what was cancelled, or serves already.
func TestStranded_IsLeftWhereItIsTooLate(t *testing.T) {
	t.Parallel()
	f, op := restarting(t, 3)
	_, _, was := f.startOn(op, f.nodes[2])
	f.pass(17*time.Second, 3)
	args := cluster.InstanceArgs{Operation: op.ID, Instance: was.ID}

	testkit.Must(t, f.store.MarkAborted(t.Context(), op.ID, "cancelled by ann"))
	_, cancelled := f.does(op, cluster.JobPlaceAnew, args)
	f, op = restarting(t, 3)
	_, _, was = f.startOn(op, f.nodes[2])
	f.pass(17*time.Second, 3)
	w, err := f.work(t.Context(), op.ID)
	testkit.Must(t, err)
	p, err := f.promotion(t.Context(), w)
	testkit.Must(t, err)
	testkit.Must(t, f.store.Promote(t.Context(), p))
	got, err := f.does(op, cluster.JobPlaceAnew, cluster.InstanceArgs{Operation: op.ID, Instance: was.ID})

	if cancelled == nil || !strings.Contains(cancelled.Error(), "cancelled by ann") {
		t.Errorf("got %v for what was cancelled", cancelled)
	}
	if err != nil || len(got.specs) != 0 {
		t.Errorf("got %+v, %v for what serves, want no start", got, err)
	}
}

// What is exclusive is placed anew once somebody has said that the machine is dead; its
// silence ends the operation, since it may run there.
func TestStranded_WhatIsExclusiveNeedsAPersonsWord(t *testing.T) {
	t.Parallel()
	for _, declared := range []bool{false, true} {
		f, db := newMonopoly(t)
		f.report(f.nodes[1], cluster.InstanceStatus{ID: db, State: cluster.InstanceStopped, Gone: true})
		f.round() // begins it
		f.round() // plants its tree
		op := f.open(cluster.OpReplace)[0]
		f.grafted(op, cluster.JobPlace, cluster.OperationArgs{Operation: op.ID})
		f.grafted(op, cluster.JobSwap, cluster.SwapArgs{Operation: op.ID, Types: []string{"db"}})
		mine, err := f.store.InstancesByOperation(t.Context(), op.ID)
		testkit.Must(t, err)
		at := slices.IndexFunc(f.nodes, func(n cluster.Node) bool { return n.ID == mine[0].NodeID })

		f.pass(10*time.Second, at+1)
		if declared {
			n, err := f.store.Node(t.Context(), mine[0].NodeID)
			testkit.Must(t, err)
			testkit.Must(t, f.Nodes.DeclareDead(t.Context(), n, "ann"))
		}
		f.pass(10*time.Second, at+1)
		op, err = f.store.Operation(t.Context(), op.ID)
		testkit.Must(t, err)
		got, refused := f.does(op, cluster.JobPlaceAnew, cluster.InstanceArgs{Operation: op.ID, Instance: mine[0].ID})

		if !declared && (!strings.HasPrefix(op.AbortReason, mine[0].Name()+" of shop may still run on ") || refused == nil) {
			t.Errorf("silent: got %q and %v, want it aborted, with the next step", op.AbortReason, refused)
		}
		if declared && (op.AbortReason != "" || refused != nil || len(got.specs) != 1 || got.specs[0].Subject.Node == f.nodes[at].Name) {
			t.Errorf("declared dead: got %q, %v and %+v, want one start elsewhere", op.AbortReason, refused, got)
		}
	}
}
