package plan

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"aorta/pacemaker/cluster"
)

func TestStarts_RepeatsTheSameIds(t *testing.T) {
	op, rel := cluster.NewID(), cluster.NewID()
	target := Target{Release: rel, Want: map[string]int{"web": 2, "worker": 1}}

	first := Starts(op, target, nil)
	var made []cluster.Instance
	for _, s := range first {
		made = append(made, cluster.Instance{ID: s.ID, ReleaseID: rel, Type: s.Type, State: cluster.InstanceStarting, Operation: op})
	}
	again := Starts(op, target, made)

	if len(first) != 3 || fmt.Sprint(first) != fmt.Sprint(again) {
		t.Errorf("got %v, then %v", first, again)
	}
}

func TestDrains_OldReleaseAndSurplus(t *testing.T) {
	op, rel, old := cluster.NewID(), cluster.NewID(), cluster.NewID()
	run := func(id string, release cluster.ID, node string) cluster.Instance {
		return cluster.Instance{ID: cluster.ID(id), ReleaseID: release, Type: "web", NodeID: cluster.ID(node), State: cluster.InstanceRunning, Port: 1}
	}
	list := []cluster.Instance{run("a", rel, "n1"), run("b", rel, "n1"), run("c", rel, "n2"), run("z", old, "n1")}

	got := Drains(op, Target{Release: rel, Want: map[string]int{"web": 2}}, list)

	if want := []cluster.ID{"b", "z"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v (one instance left on each node, and the old release gone)", got, want)
	}
}

func TestPlan_EndsWithExactlyWhatIsWanted(t *testing.T) {
	states := []cluster.InstanceState{
		cluster.InstanceAssigned, cluster.InstanceStarting, cluster.InstanceRunning,
		cluster.InstanceDraining, cluster.InstanceStopped, cluster.InstanceFailed,
	}
	rapid.Check(t, func(t *rapid.T) {
		op, rel, old := cluster.NewID(), cluster.NewID(), cluster.NewID()
		target := Target{Release: rel, Want: map[string]int{
			"web": rapid.IntRange(0, 4).Draw(t, "web"), "worker": rapid.IntRange(0, 3).Draw(t, "worker"),
		}}
		var list []cluster.Instance
		for range rapid.IntRange(0, 10).Draw(t, "instances") {
			in := cluster.Instance{
				ID: cluster.NewID(), ReleaseID: rapid.SampledFrom([]cluster.ID{rel, old}).Draw(t, "release"),
				Type:  rapid.SampledFrom([]string{"web", "worker", "gone"}).Draw(t, "type"),
				State: rapid.SampledFrom(states).Draw(t, "state"), NodeID: cluster.ID(rapid.SampledFrom([]string{"n1", "n2"}).Draw(t, "node")),
			}
			if in.ReleaseID == rel && rapid.Bool().Draw(t, "replace") {
				target.Replace = append(target.Replace, in.ID)
			}
			list = append(list, in)
		}

		for _, s := range Starts(op, target, list) {
			list = append(list, cluster.Instance{ID: s.ID, ReleaseID: rel, Type: s.Type, State: cluster.InstanceRunning, Operation: op})
		}
		drained := Drains(op, target, list)

		left := map[string]int{}
		for _, in := range list {
			if !in.State.Wanted() || slices.Contains(drained, in.ID) {
				continue
			}
			if in.ReleaseID != rel || slices.Contains(target.Replace, in.ID) {
				t.Fatalf("%+v is left", in)
			}
			left[in.Type]++
		}
		for typ, n := range target.Want {
			if left[typ] != n {
				t.Fatalf("got %d of %s, want %d", left[typ], typ, n)
			}
			delete(left, typ)
		}
		if len(left) != 0 {
			t.Fatalf("types nobody wants are left: %v", left)
		}
	})
}
