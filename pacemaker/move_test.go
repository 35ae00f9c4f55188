package pacemaker

import (
	"slices"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/plan"
)

// moves are the open operations that move instances of themselves, after a round.
func (r *rig) moves() []cluster.Operation {
	r.TB.Helper()
	r.round()
	return slices.DeleteFunc(r.open(cluster.OpRestart), func(op cluster.Operation) bool { return op.User != "" })
}

// What is published where its node was before is replaced; what is at the present
// address stays. A move that has failed, or has no room, waits.
func TestMove_ReplacesWhatIsAtAFormerAddress(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop := r.App("shop")
	release := r.Deploy(shop)
	n := r.newNode("n1", cluster.RoleHeart)
	former, present := r.Instance(release, "web", n), r.Instance(release, "web", n)
	r.load.MemoryTotal = 8 << 30
	r.report(n, cluster.InstanceStatus{ID: former, State: cluster.InstanceRunning, Address: n.Address})
	r.scaleTo(shop, 2)
	if early := r.moves(); len(early) != 0 {
		t.Fatalf("got %+v before the node has another address, want nothing moved", early)
	}

	testkit.Must(t, r.Nodes.Hello(t.Context(), n, cluster.Hello{Session: "session-n1", Roles: n.Roles, Address: "10.77.0.9"}))
	n.Address = "10.77.0.9"
	r.report(n, cluster.InstanceStatus{ID: present, State: cluster.InstanceRunning, Address: n.Address})
	ops := r.moves()

	if len(ops) != 1 {
		t.Fatalf("got the moves %+v, want one", ops)
	}
	req, err := ops[0].Request()
	if err != nil || !slices.Equal(req.Replace, []cluster.ID{former}) || ops[0].Title != "Move 1 instance of shop to their node's new address" {
		t.Errorf("got %+v for %q (%v), want %s replaced", req, ops[0].Title, err, former)
	}
	r.finish(ops[0], jobs.Failed)
	if again := r.moves(); len(again) != 0 {
		t.Errorf("got %+v right after one that failed, want it to wait", again)
	}
	r.Clock.Forward(plan.FirstPause + time.Second)
	for _, c := range []struct {
		memory int64
		want   int
	}{{1 << 20, 0}, {8 << 30, 1}} {
		r.load.MemoryTotal = c.memory
		r.report(n)
		r.announce(shop.ID)
		if got := r.moves(); len(got) != c.want {
			t.Errorf("with %d bytes of memory: got %+v, want %d moves", c.memory, got, c.want)
		}
	}
}

// What a node may not run any more moves to one that may, one at a time, and stays
// where no node may.
func TestMove_LeavesANodeThatLostATag(t *testing.T) {
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
