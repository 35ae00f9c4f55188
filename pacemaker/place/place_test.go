package place

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"aorta/pacemaker/cluster"
)

func node(i int) Node {
	return Node{ID: cluster.ID(fmt.Sprintf("n%04d", i)), Name: fmt.Sprintf("n%d", i), Heart: true, Ready: true}
}

func TestChoose_SpreadsBeforeScore(t *testing.T) {
	a, b := node(1), node(2)
	a.Score, b.Score = 0.1, 0.9

	got, err := Choose(Request{Count: 4}, []Node{a, b})
	if err != nil {
		t.Fatal(err)
	}

	want := []cluster.ID{a.ID, b.ID, a.ID, b.ID}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Machines that are busy to the full have the same score, and yet not all goes to one.
func TestChoose_TakesTheLessPromisedOfTwoThatAreAsBusy(t *testing.T) {
	a, b := node(1), node(2)
	a.Score, b.Score = 1, 1
	a.Reserved.Memory, b.Reserved.Memory = 1<<30, 512<<20

	got, err := Choose(Request{Count: 1}, []Node{a, b})
	if err != nil || len(got) != 1 || got[0] != b.ID {
		t.Errorf("got %v, %v; want %s, which has less promised", got, err, b.ID)
	}
}

func TestChoose_NamesWhyForEachNode(t *testing.T) {
	dead, full, drain, other := node(1), node(2), node(3), node(4)
	dead.Ready = false
	full.Memory, full.Reserved.Memory = 1<<30, 900<<20
	drain.Draining = true
	other.Heart = false

	_, err := Choose(Request{Count: 1, Limits: cluster.Limits{Memory: 512 << 20}}, []Node{dead, full, drain, other})

	for _, want := range []string{"n1 is not heard", "n2 has 124 MB of 1 GB memory left, 512 MB is needed", "n3 is draining", "n4 runs no instances"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to say %q", err, want)
		}
	}
	if cluster.CodeOf(err) != cluster.CodeUnavailable {
		t.Errorf("got code %s, want unavailable", cluster.CodeOf(err))
	}
}

func TestFits_CountsWhatNodesCouldHold(t *testing.T) {
	busy, silent, unknown, router := node(1), node(2), node(3), node(4)
	busy.Memory, busy.CPUs, busy.Reserved = 1<<30, 2, cluster.Limits{Memory: 1 << 30, CPUs: 8}
	silent.Memory, silent.CPUs, silent.Ready, silent.Draining = 1<<30, 2, false, true
	router.Heart = false
	half := cluster.Limits{Memory: 512 << 20, CPUs: 0.5}
	for _, tc := range []struct {
		what  string
		req   Request
		nodes []Node
		says  string
	}{
		{"as many as there is room on empty nodes", Request{4, half}, []Node{busy, silent, router}, ""},
		{"one more", Request{5, half}, []Node{busy, silent, router}, "1 of 5 instances find no node: n1 has 0 bytes of 1 GB memory left, 512 MB is needed; n2 has 0 bytes of"},
		{"larger than any node", Request{1, cluster.Limits{Memory: 2 << 30}}, []Node{busy, silent}, "n1 has 1 GB of 1 GB memory left, 2 GB is needed"},
		{"more cores than any node promises", Request{1, cluster.Limits{CPUs: 9}}, []Node{busy}, "n1 has promised 0.00 of its 2 × 4 CPUs"},
		{"a node that nothing is known of", Request{5000, half}, []Node{busy, unknown}, ""},
		{"no node yet", Request{5, half}, []Node{router}, ""},
	} {
		err := Fits(tc.req, tc.nodes)

		if (err == nil) != (tc.says == "") || err != nil && !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: got %v, want %q", tc.what, err, tc.says)
		}
	}
}

func TestChoose_NeverBreaksItsRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nodes := make([]Node, rapid.IntRange(0, 12).Draw(t, "nodes"))
		for i := range nodes {
			nodes[i] = node(i)
			nodes[i].Ready = rapid.Bool().Draw(t, "ready")
			nodes[i].Draining = rapid.Bool().Draw(t, "draining")
			nodes[i].Score = rapid.Float64Range(0, 1).Draw(t, "score")
			nodes[i].Memory = rapid.Int64Range(0, 4).Draw(t, "memory")
		}
		req := Request{Count: rapid.IntRange(0, 20).Draw(t, "count"), Limits: cluster.Limits{Memory: 1}}

		got, err := Choose(req, nodes)

		again, _ := Choose(req, nodes)
		if fmt.Sprint(got) != fmt.Sprint(again) {
			t.Fatalf("equal worlds gave %v and %v", got, again)
		}
		if err != nil {
			if len(got) != 0 {
				t.Fatalf("got %v beside the error %v", got, err)
			}
			return
		}
		count := map[cluster.ID]int{}
		for _, id := range got {
			count[id]++
		}
		lowest, highest := req.Count, 0
		for _, n := range nodes {
			c := count[n.ID]
			if c > 0 && (!n.Ready || n.Draining || n.Memory > 0 && int64(c) > n.Memory) {
				t.Fatalf("node %+v got %d", n, c)
			}
			if n.Ready && !n.Draining && n.Memory == 0 {
				lowest = min(lowest, c)
			}
			highest = max(highest, c)
		}
		if len(got) > 0 && highest > lowest+1 {
			t.Fatalf("a node got %d while one with room got %d", highest, lowest)
		}
	})
}

func BenchmarkChoose5000Nodes(b *testing.B) {
	nodes := make([]Node, 5000)
	for i := range nodes {
		nodes[i] = node(i)
	}
	for b.Loop() {
		if _, err := Choose(Request{Count: 10000}, nodes); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*10000/b.Elapsed().Seconds(), "instances/s")
}
