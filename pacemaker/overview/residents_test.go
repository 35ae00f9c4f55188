package overview

import (
	"context"
	"slices"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

func (r *fixture) residents(name string) map[cluster.ID]Resident {
	r.TB.Helper()
	g := r.snapshot()
	for _, n := range g.Nodes {
		if n.Name != name {
			continue
		}
		list, err := r.overview.Residents(context.Background(), g, n)
		testkit.Must(r.TB, err)
		byID := make(map[cluster.ID]Resident, len(list))
		for _, one := range list {
			byID[one.ID] = one
		}
		return byID
	}
	r.TB.Fatalf("there is no node %s", name)
	return nil
}

// What is to leave a node says what moves it, or what it waits for.
func TestResidents_SayWhatBecomesOfThem(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n1, n2 := r.joined("n1", cluster.RoleHeart), r.joined("n2", cluster.RoleHeart)
	app := r.App("shop")
	release := r.Deploy(app, cluster.ProcessType{Name: "web"}, cluster.ProcessType{Name: "worker"})
	web, worker, elsewhere := r.Instance(release, "web", n1), r.Instance(release, "worker", n1), r.Instance(release, "web", n2)
	want := func(when string, id cluster.ID, work cluster.ID, next string) {
		t.Helper()
		got, there := r.residents("n1")[id]
		var has cluster.ID
		if got.Work != nil {
			has = got.Work.ID
		}
		if !there || got.App != "shop" || got.Release != release.Label() || has != work || got.Next != next {
			t.Errorf("%s: got %s, %s of %s, %q at work, %q; want %q and %q", when, got.ID, got.Release, got.App, has, got.Next, work, next)
		}
	}

	want("on a node that is ready", web, "", "")
	if _, there := r.residents("n1")[elsewhere]; there {
		t.Error("got an instance of n2 on n1")
	}
	drain := cluster.Operation{ID: cluster.NewID(), Kind: cluster.OpDrain, NodeID: n1.ID, Title: "Drain n1", Args: cluster.Request{}.Encode()}
	testkit.Must(t, r.Store.Begin(t.Context(), drain, store.WithDraining()))
	move := r.Begin(app, cluster.OpReplace, cluster.Request{Types: []string{"web"}, Replace: []cluster.ID{web}})
	want("being moved", web, move.ID, "")
	want("behind another of its app", worker, "", "moves in its turn")
	name := r.residents("n1")[worker].Name()
	r.noRoom = []NoRoom{{Type: "worker", Instance: name, Node: n1.ID, NodeName: "n1", Reason: "n2 lacks tag disk=ssd"}}
	want("that fits nowhere", worker, "", "finds no other node: n2 lacks tag disk=ssd")

	r.End(move.ID)
	_, err := r.Store.SetNodeState(t.Context(), store.NodeChange{Node: n1, To: cluster.NodeDead, Losses: 1})
	testkit.Must(t, err)
	r.noRoom = []NoRoom{{Type: "worker", Count: 1, Reason: "n2 lacks tag disk=ssd"}}
	replace := r.Begin(app, cluster.OpReplace, cluster.Request{Types: []string{"web"}, AtMost: map[string]int{"web": 1}})
	want("replaced on a dead node", web, replace.ID, "")
	want("that nothing replaces", worker, "", "finds no other node: n2 lacks tag disk=ssd")
	r.noRoom = nil
	want("before its replacement", worker, "", "is replaced in its turn")
}

// While an operation is at work on its app nothing is looked for; that there is no other
// node is known all the same.
func TestResidents_OfTheOnlyNodeHaveNoTurn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n1 := r.joined("n1", cluster.RoleHeart)
	r.joined("edge", cluster.RoleRouter)
	app := r.App("shop")
	web := r.Instance(r.Deploy(app, cluster.ProcessType{Name: "web"}), "web", n1)
	drain := cluster.Operation{ID: cluster.NewID(), Kind: cluster.OpDrain, NodeID: n1.ID, Title: "Drain n1", Args: cluster.Request{}.Encode()}
	testkit.Must(t, r.Store.Begin(t.Context(), drain, store.WithDraining()))
	r.Begin(app, cluster.OpScale, cluster.Request{})

	alone := r.residents("n1")[web].Next
	r.joined("n2", cluster.RoleHeart)
	beside := r.residents("n1")[web].Next

	if want := "finds no other node: there is none that takes instances"; alone != want || beside != "moves in its turn" {
		t.Errorf("got %q, and beside another %q; want %q, and its turn", alone, beside, want)
	}
}

func TestSnapshot_NotesNodesThatGetNothingNew(t *testing.T) {
	until := time.Date(2026, 3, 1, 3, 4, 5, 0, time.UTC)
	node := func(name string, state cluster.NodeState, draining bool) cluster.Node {
		return cluster.Node{Name: name, State: state, Draining: draining}
	}
	g := Snapshot{Nodes: []Node{
		{Node: node("n1", cluster.NodeReady, false)},
		{Node: node("n2", cluster.NodeReady, true)},
		{Node: node("n3", cluster.NodeReady, true), Instances: 1},
		{Node: node("n4", cluster.NodeReady, false), HeldUntil: until},
		{Node: node("n5", cluster.NodeDead, true)},
	}}

	got := g.nodeNotes()

	want := []string{
		"Node n2 is drained: nothing starts there (to use it again: aorta nodes undrain n2).",
		"Node n4 is held: it was dead, and while others have room it gets nothing new until 03:04:05 UTC.",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNode_SaysSinceWhenAndUntilWhen(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.joined("n1", cluster.RoleHeart)
	heard := r.Clock.Now()
	only := func() Node { return r.snapshot().Nodes[0] }

	ready := only()
	r.Clock.Forward(20 * time.Second)
	silent := only()
	_, err := r.Store.SetNodeState(t.Context(), store.NodeChange{Node: n, To: cluster.NodeDead, Losses: 1})
	testkit.Must(t, err)
	lostAt := r.Clock.Now()
	r.Clock.Forward(time.Minute)
	dead := only()
	_, err = r.Store.SetNodeState(t.Context(), store.NodeChange{Node: dead.Node, To: cluster.NodeReady})
	testkit.Must(t, err)
	r.hears(n)
	back := only()
	r.Clock.Forward(time.Hour)
	r.hears(n)
	again := only()

	for when, c := range map[string]struct {
		got, since, held *time.Time
	}{
		"ready":  {ready.Since(), nil, &ready.HeldUntil},
		"silent": {silent.Since(), &heard, &silent.HeldUntil},
		"dead":   {dead.Since(), &lostAt, &dead.HeldUntil},
		"back":   {back.Since(), nil, nil},
		"later":  {again.Since(), nil, &again.HeldUntil},
	} {
		if (c.got == nil) != (c.since == nil) || c.got != nil && !c.got.Equal(*c.since) {
			t.Errorf("%s: got since %v, want %v", when, c.got, c.since)
		}
		if c.held != nil && !c.held.IsZero() {
			t.Errorf("%s: got it held until %s, want it not held", when, c.held)
		}
	}
	if want := r.Clock.Now().Add(-time.Hour + 30*time.Second); !back.HeldUntil.Equal(want) {
		t.Errorf("got it held until %s, want two timeouts: %s", back.HeldUntil, want)
	}
}
