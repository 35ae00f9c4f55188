package plan

import (
	"fmt"
	"slices"
	"strings"
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

// world is some instances in a few letters: the node, and what of it.
func world(rel cluster.ID, texts ...string) []cluster.Instance {
	var list []cluster.Instance
	for i, text := range texts {
		node, how, _ := strings.Cut(text, " ")
		in := cluster.Instance{ID: cluster.ID(fmt.Sprintf("%d on %s", i, node)), ReleaseID: rel, Type: "web", NodeID: cluster.ID(node), State: cluster.InstanceRunning}
		switch how {
		case "crashing":
			in.Crashing = true
		case "starting":
			in.State = cluster.InstanceStarting
		case "draining":
			in.State = cluster.InstanceDraining
		}
		list = append(list, in)
	}
	return list
}

func TestSurplus_GivesUpWhatIsWorthLeast(t *testing.T) {
	set := func(ids ...cluster.ID) map[cluster.ID]bool {
		m := map[cluster.ID]bool{}
		for _, id := range ids {
			m[id] = true
		}
		return m
	}
	for _, tc := range []struct {
		what    string
		want    int
		target  Target
		has     []string
		surplus []cluster.ID
	}{
		{"as much as is wanted", 2, Target{}, []string{"n1", "n2"}, nil},
		{"one too many", 2, Target{}, []string{"n1", "n2", "n1"}, []cluster.ID{"2 on n1"}},
		{"a lost one that is replaced", 2, Target{Lost: set("n3")}, []string{"n3", "n1", "n2"}, []cluster.ID{"0 on n3"}},
		{"a lost one whose replacement starts", 2, Target{Lost: set("n3")}, []string{"n3", "n1", "n2 starting"}, nil},
		{"a lost one while another one crashes", 2, Target{Lost: set("n3")}, []string{"n3", "n1", "n2 crashing"}, nil},
		{"the one that is to leave, not that which starts for it", 2, Target{Held: set("n1")}, []string{"n1", "n2", "n3 starting"}, nil},
		{"the one that is to leave", 2, Target{Held: set("n1")}, []string{"n1", "n2", "n3"}, []cluster.ID{"0 on n1"}},
		{"one that is misplaced", 2, Target{Leaving: map[cluster.ID]MoveCause{"0 on n1": MoveMisplaced}}, []string{"n1", "n2", "n2"}, []cluster.ID{"0 on n1"}},
		{"one that is displaced, not that which is new on its node, which was lost lately", 1, Target{Held: set("n1"), Leaving: map[cluster.ID]MoveCause{"0 on n1": MoveDisplaced}}, []string{"n1", "n1"}, []cluster.ID{"0 on n1"}},
		{"one that is drained, not that on a node which was lost lately", 1, Target{Held: set("n1", "n2"), Leaving: map[cluster.ID]MoveCause{"0 on n1": MoveDrained}}, []string{"n1", "n2"}, []cluster.ID{"0 on n1"}},
		{"one that crashes before one that is to leave", 2, Target{Held: set("n1")}, []string{"n1", "n2", "n3 crashing"}, []cluster.ID{"2 on n3"}},
		{"what drains counts for nothing", 2, Target{}, []string{"n1", "n2", "n3 draining"}, nil},
		{"nothing is wanted", 0, Target{}, []string{"n1"}, []cluster.ID{"0 on n1"}},
	} {
		tc.target.Release, tc.target.Want = "r", map[string]int{"web": tc.want}

		if got := Surplus(tc.target, world("r", tc.has...)); !slices.Equal(got, tc.surplus) {
			t.Errorf("%s: got %q, want %q", tc.what, got, tc.surplus)
		}
	}
}

func TestNextMoves_OneOfATypeTheMostPressingFirst(t *testing.T) {
	leaving := map[cluster.ID]MoveCause{"1 on n2": MoveMisplaced, "1 on n8": MoveDisplaced, "2 on n8": MoveDisplaced, "1 on n9": MoveDrained, "2 on n9": MoveDrained}
	for _, tc := range []struct {
		what string
		want int
		has  []string
		move cluster.ID
	}{
		{"nothing to move", 2, []string{"n1", "n3"}, ""},
		{"two on one node", 2, []string{"n1", "n1"}, "1 on n1"},
		{"three on one node, two on another one", 5, []string{"n3", "n3", "n4", "n4", "n4"}, "4 on n4"},
		{"misplaced", 3, []string{"n1", "n2", "n1"}, "1 on n2"},
		{"displaced", 3, []string{"n1", "n2", "n8"}, "2 on n8"},
		{"displaced with all of its kind", 3, []string{"n1", "n8", "n8"}, "1 on n8"},
		{"drained", 3, []string{"n1", "n2", "n9"}, "2 on n9"},
		{"drained before displaced", 3, []string{"n1", "n8", "n9"}, "2 on n9"},
		{"something is missing", 4, []string{"n1", "n2", "n9"}, ""},
		{"a move is under way", 2, []string{"n1", "n9", "n3 starting"}, ""},
		{"the one before it still drains", 2, []string{"n1", "n9", "n9 draining"}, "1 on n9"},
	} {
		got := NextMoves(Target{Release: "r", Want: map[string]int{"web": tc.want}, Leaving: leaving}, world("r", tc.has...))

		if len(got) > 1 || len(got) == 0 != (tc.move == "") || len(got) == 1 && got[0].Instance.ID != tc.move {
			t.Errorf("%s: got %+v, want %q", tc.what, got, tc.move)
		}
	}
}
