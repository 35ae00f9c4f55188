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

// spread counts the app's wanted instances by node.
func (f *fleet) spread() map[string]int {
	f.TB.Helper()
	list, err := f.store.Instances(f.TB.Context(), f.app.ID)
	testkit.Must(f.TB, err)
	counts := map[string]int{}
	for _, in := range list {
		if !in.State.Wanted() {
			continue
		}
		node, err := f.store.Node(f.TB.Context(), in.NodeID)
		testkit.Must(f.TB, err)
		counts[node.Name]++
	}
	return counts
}

// moves lets moves happen until none is begun any more, where placement wants them, and
// counts them. Each is the only one of the app.
func (f *fleet) moves() (n int) {
	f.TB.Helper()
	for ; n < 50; n++ {
		f.pass(2 * time.Second)
		ops := f.open(cluster.OpReplace)
		if len(ops) == 0 {
			return n
		}
		room, err := f.room(f.TB.Context())
		testkit.Must(f.TB, err)
		chosen, err := room.choose(f.app.ID, f.release, "web", nil, 1)
		testkit.Must(f.TB, err)
		node, err := f.store.Node(f.TB.Context(), chosen[0])
		testkit.Must(f.TB, err)
		f.replaceOn(node)
	}
	f.TB.Fatalf("got %d moves and no end", n)
	return n
}

func TestDrain_MovesOneAtATimeAndEndsWhenNothingIsLeft(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	f.Instance(f.release, "web", f.nodes[2])
	f.scaleTo(f.app, 4)
	n3 := f.nodes[2]

	op, err := f.DrainNode(t.Context(), n3, "ann")
	testkit.Must(t, err)
	again, err := f.DrainNode(t.Context(), n3, "ann")
	testkit.Must(t, err)
	moved := f.moves()
	left := f.spread()

	if again.ID != op.ID || moved != 2 || left["n1"] != 2 || left["n2"] != 2 || left["n3"] != 0 {
		t.Errorf("got %d moves and then %v, want two, and nothing on n3; again gave %s", moved, left, again.ID)
	}
	f.pass(30 * time.Second)
	if n := len(f.open(cluster.OpReplace)); n != 0 {
		t.Errorf("got %d more moves", n)
	}
	testkit.Must(t, f.UndrainNode(t.Context(), n3, "ann"))
	moved, left = f.moves(), f.spread()
	if moved != 1 || left["n3"] != 1 {
		t.Errorf("got %d moves and then %v once the node is used again, want one to it", moved, left)
	}
}

func TestDrain_WaitsForRoomAndSaysForWhat(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	f.load = cluster.Load{MemoryTotal: 600 << 20}
	n2 := f.nodes[1]

	op, err := f.DrainNode(t.Context(), n2, "ann")
	testkit.Must(t, err)
	f.pass(3 * time.Second)
	full, waits := f.concerns(), f.missing.leaving(n2.ID)
	f.load = cluster.Load{MemoryTotal: 8 << 30}
	f.pass(3 * time.Second)
	begun := len(f.open(cluster.OpReplace))

	name := "web." + f.on[n2.ID].Short()
	want := name + " of shop is to leave n2 and finds no other node: n1 has 88 MB of 600 MB memory left, 512 MB is needed; n2 is draining (run aorta nodes undrain n2, add a node, or limit each to less memory: aorta ps type -a shop web --memory SIZE)."
	if !slices.Contains(full, want) || len(waits) != 1 || !strings.HasPrefix(waits[0], name+" finds no other node: n1 has") {
		t.Errorf("got the concerns %q and %q, want %q", full, waits, want)
	}
	if begun != 1 {
		t.Errorf("got %d moves once there is room, want one", begun)
	}
	f.finish(op, jobs.Aborted)
	if n, err := f.store.Node(t.Context(), n2.ID); err != nil || n.Draining {
		t.Errorf("a drain that was cancelled goes on: %v", err)
	}
}

// A node that is back has instances again only after a while, one after the other.
func TestRebalance_FillsANodeThatIsBack(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	f.pass(17*time.Second, 3)
	f.replaceOn(f.nodes[1])
	f.pass(20*time.Second, 3)

	f.pass(15 * time.Second) // back, and held
	held := len(f.open(cluster.OpReplace))
	f.pass(60 * time.Second)
	moved, left := f.moves(), f.spread()

	if held != 0 || moved != 1 || left["n1"] != 1 || left["n2"] != 1 || left["n3"] != 1 {
		t.Errorf("got %d moves while it is held, %d after that, and then %v; want none, one, and one on each", held, moved, left)
	}
}

// While something of an app is missing, nothing of it moves, and a spread is no reason to
// move to where it would be no better.
func TestMoves_AreNotBegunWithoutNeed(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	f.Instance(f.release, "web", f.nodes[0])
	f.scaleTo(f.app, 3)

	f.pass(40 * time.Second)

	if ops := f.open(cluster.OpReplace); len(ops) != 0 {
		t.Errorf("got %v with two instances on n1 and one on n2, want none", ops)
	}
}

// What requires a tag moves when its node loses it, to one that has it.
func TestMoves_FollowTheTagsOfNodes(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	ssd := map[string]string{"ssd": "yes"}
	for _, n := range f.nodes {
		_, err := f.TagNode(t.Context(), n, ssd, "ann")
		testkit.Must(t, err)
	}
	f.release = f.Deploy(f.app, cluster.ProcessType{Name: "web", Tags: cluster.Tags{Require: []cluster.Tag{{Key: "ssd"}}}})
	for _, n := range f.nodes {
		f.on[n.ID] = f.Instance(f.release, "web", n)
	}
	f.pass(2 * time.Second)

	_, err := f.TagNode(t.Context(), f.nodes[2], map[string]string{"ssd": ""}, "ann")
	testkit.Must(t, err)
	moved := f.moves()
	left := map[string]int{}
	for _, n := range f.nodes {
		list, err := f.store.InstancesOn(t.Context(), n.ID)
		testkit.Must(t, err)
		for _, in := range list {
			if in.ReleaseID == f.release.ID && in.State.Wanted() {
				left[n.Name]++
			}
		}
	}

	if moved != 1 || left["n3"] != 0 || left["n1"]+left["n2"] != 3 {
		t.Errorf("got %d moves and then %v, want one away from n3", moved, left)
	}
}

// What finds no room on other nodes holds up nothing else of its app.
func TestDrain_OneThatFindsNoRoomHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop := r.App("shop")
	large := cluster.Limits{Memory: 4 << 30}
	release := r.Deploy(shop, cluster.ProcessType{Name: "web"}, cluster.ProcessType{Name: "large", Quantity: new(int), Limits: large})
	r.load = cluster.Load{MemoryTotal: 1 << 30}
	n1, n2 := r.newNode("n1", cluster.RoleHeart), r.newNode("n2", cluster.RoleHeart)
	r.report(n1)
	r.report(n2)
	one := 1
	_, err := r.ChangeFormation(t.Context(), shop, map[string]ProcessChange{"large": {Quantity: &one}}, "ann")
	if err == nil {
		t.Fatal("a process type that no node could hold was taken")
	}
	r.load.MemoryTotal = 8 << 30
	r.report(n2)
	op, err := r.ChangeFormation(t.Context(), shop, map[string]ProcessChange{"large": {Quantity: &one}}, "ann")
	testkit.Must(t, err)
	r.finish(op, jobs.Succeeded)
	r.Instance(release, "large", n2)
	web := r.Instance(release, "web", n2)

	_, err = r.DrainNode(t.Context(), n2, "ann")
	testkit.Must(t, err)
	r.round()

	ops := r.open(cluster.OpReplace)
	if len(ops) != 1 || ops[0].Title != "Move web."+web.Short()+" of shop off n2" {
		t.Errorf("got the moves %v, want that of web", ops)
	}
	if waits := r.missing.leaving(n2.ID); len(waits) != 1 || !strings.HasPrefix(waits[0], "large.") {
		t.Errorf("got %q waiting, want large alone", waits)
	}
}

// With no other node, the drain waits and says so, and so does what is missing.
func TestDrain_OfTheOnlyNodeSaysWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1)
	n1 := f.nodes[0]

	f.pass(time.Minute)
	begun := f.Clock.Now()
	_, err := f.DrainNode(t.Context(), n1, "ann")
	testkit.Must(t, err)
	f.pass(2 * time.Second)
	drained := f.concerns()
	f.pass(40 * time.Second)
	since := f.noRoomSince()
	scaled := f.Clock.Now()
	f.scaleTo(f.app, 2)
	f.pass(2 * time.Second)
	missing, lacking := f.concerns(), f.noRoomSince()

	if want := "web." + f.on[n1.ID].Short() + " of shop is to leave n1 and finds no other node: n1 is draining (run aorta nodes undrain n1 or add a node)."; !slices.Contains(drained, want) {
		t.Errorf("got the concerns %q, want %q", drained, want)
	}
	if !slices.ContainsFunc(missing, func(c string) bool { return strings.HasPrefix(c, "1 web of shop finds no node: n1 is draining") }) {
		t.Errorf("got the concerns %q, want what is missing among them", missing)
	}
	if late := since.Sub(begun); late < 0 || late > 5*time.Second {
		t.Errorf("got what can't leave so %s after the drain began, want within some seconds", late)
	}
	if late := lacking.Sub(scaled); late < 0 || late > 5*time.Second {
		t.Errorf("got what is missing so %s after it was asked for, want within some seconds", late)
	}
}

// noRoomSince is since when something of the app finds no node.
func (f *fleet) noRoomSince() time.Time {
	f.TB.Helper()
	list := f.missing.noRoom(f.app.ID)
	if len(list) != 1 {
		f.TB.Fatalf("got %+v that finds no node, want one", list)
	}
	return list[0].Since
}

// What a node may not run any more moves to one that may, one at a time, and stays
// where no node may.
func TestMoves_LeaveANodeThatLostATag(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop := r.App("shop")
	two := 2
	release := r.Deploy(shop, cluster.ProcessType{Name: "web", Quantity: &two, Tags: cluster.Tags{Require: []cluster.Tag{{Key: "ssd"}}}})
	r.load.MemoryTotal = 8 << 30
	old, other := r.newNode("old", cluster.RoleHeart), r.newNode("other", cluster.RoleHeart)
	tag := func(n cluster.Node, value string) []cluster.Operation {
		t.Helper()
		_, err := r.store.SetTags(t.Context(), n, map[string]string{"ssd": value}, "ann")
		testkit.Must(t, err)
		r.report(n)
		r.announce(shop.ID)
		r.round()
		return r.open(cluster.OpReplace)
	}
	first, second := r.Instance(release, "web", old), r.Instance(release, "web", old)
	fits := tag(old, "true")
	nowhere := tag(old, "")

	ops := tag(other, "true")

	if len(fits)+len(nowhere) != 0 {
		t.Errorf("got %+v with the tag and %+v while no node has it, want nothing moved", fits, nowhere)
	}
	if len(ops) != 1 {
		t.Fatalf("got the moves %+v, want one", ops)
	}
	req, err := ops[0].Request()
	if err != nil || len(req.Replace) != 1 || req.Replace[0] != min(first, second) || ops[0].Title != "Move web."+min(first, second).Short()+" of shop off old" {
		t.Errorf("got %+v for %q (%v), want %s alone replaced", req, ops[0].Title, err, min(first, second))
	}
}

// What is published where its node was before moves to where it is now, which may be the
// same node, one after the other; what is at the present address stays.
func TestMoves_LeaveAFormerAddress(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	n1, n2 := f.nodes[0], f.nodes[1]
	second := f.Instance(f.release, "web", n2)
	former := []cluster.ID{f.on[n2.ID], second}
	f.scaleTo(f.app, 3)
	f.report(n2, cluster.InstanceStatus{ID: former[0], State: cluster.InstanceRunning, Address: n2.Address}, cluster.InstanceStatus{ID: second, State: cluster.InstanceRunning, Address: n2.Address})
	f.pass(2 * time.Second)
	early := f.open(cluster.OpReplace)

	testkit.Must(t, f.Rig.Store.ShowAddresses(t.Context(), n2.ID, []string{"10.77.0.9"}))
	testkit.Must(t, f.Nodes.Hello(t.Context(), n2, cluster.Hello{Session: "session-n2", Roles: n2.Roles, Address: "10.77.0.9"}))
	f.nodes[1].Address = "10.77.0.9"
	f.load.MemoryTotal = 1 << 20
	f.pass(2 * time.Second)
	nowhere, said := f.open(cluster.OpReplace), f.concerns()
	f.load.MemoryTotal = 8 << 30
	f.pass(3 * time.Second)
	begun := f.open(cluster.OpReplace)
	moved, left := f.moves(), f.spread()

	if len(early)+len(nowhere) != 0 || !strings.Contains(strings.Join(said, "\n"), "web."+former[0].Short()+" of shop is to leave the former address of n2 and finds no other node") {
		t.Errorf("got %+v before n2 has another address, and %+v with %q while there is no room; want none, and that said", early, nowhere, said)
	}
	if len(begun) != 1 || begun[0].Title != "Move web."+former[0].Short()+" of shop off the former address of n2" {
		t.Errorf("got %+v once there is room, want one move, of the oldest", begun)
	}
	if moved != 2 || left["n1"]+left["n2"] != 3 {
		t.Errorf("got %d moves and then %v, want two", moved, left)
	}
	for _, id := range former {
		if f.stateOf(id).Wanted() {
			t.Errorf("%s is still wanted at the former address", id.Short())
		}
	}
	if f.stateOf(f.on[n1.ID]) != cluster.InstanceRunning {
		t.Error("what is at the present address of n1 moved")
	}
}
