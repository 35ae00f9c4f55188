package plan

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"aorta/pacemaker/cluster"
)

// moveWorld is a cluster in which instances of one process type are on some nodes, as
// many as are wanted, of which some are to leave.
func moveWorld(r *rand.Rand) (Target, []cluster.Instance) {
	t := Target{Release: "r", Leaving: map[cluster.ID]MoveCause{}, Held: map[cluster.ID]bool{}}
	causes := []MoveCause{"", "", "", MoveDisplaced, MoveMisplaced}
	drained := map[cluster.ID]bool{}
	for n := range 4 {
		node := cluster.ID(fmt.Sprint("n", n))
		drained[node], t.Held[node] = r.IntN(4) == 0, r.IntN(4) == 0
	}
	var list []cluster.Instance
	for i := range 1 + r.IntN(8) {
		in := cluster.Instance{ID: cluster.ID(fmt.Sprintf("%04d-%d", r.IntN(10000), i)), Type: "web", ReleaseID: "r", State: cluster.InstanceRunning, NodeID: cluster.ID(fmt.Sprint("n", r.IntN(4)))}
		if cause := causes[r.IntN(len(causes))]; cause != "" {
			t.Leaving[in.ID] = cause
		}
		if drained[in.NodeID] {
			t.Leaving[in.ID] = MoveDrained
		}
		in.Crashing = t.Leaving[in.ID] != "" && r.IntN(4) == 0
		list = append(list, in)
	}
	t.Want = map[string]int{"web": len(list)}
	return t, list
}

// What is said to move is what goes, once one more of its kind runs elsewhere and nothing
// else has changed: else its title names one that stays, and it is moved again.
func TestNextMoves_NameWhatIsGivenUp(t *testing.T) {
	t.Parallel()
	moved := map[MoveCause]int{}
	for seed := range uint64(8000) {
		r := rand.New(rand.NewPCG(seed, 1))
		target, list := moveWorld(r)
		moves := NextMoves(target, list)
		if len(moves) == 0 {
			continue
		}
		m, to := moves[0], cluster.ID(fmt.Sprint("n", r.IntN(6)))
		there := 0
		for _, in := range list {
			if in.NodeID == to {
				there++
			}
		}
		if m.Cause == MoveCrowded && (target.Held[to] || there+2 > m.Siblings) || m.Cause == MoveDrained && to == m.Instance.NodeID {
			continue // no move goes there
		}
		started := cluster.Instance{ID: cluster.ID(fmt.Sprintf("%04d-new", r.IntN(10000))), Type: "web", ReleaseID: "r", State: cluster.InstanceRunning, NodeID: to}

		gone := Surplus(target, append(slices.Clone(list), started))

		if slices.ContainsFunc(list, func(in cluster.Instance) bool { return in.Crashing && in.ID != m.Instance.ID }) {
			continue // too little runs: nothing is given up
		}
		if moved[m.Cause]++; !slices.Equal(gone, []cluster.ID{m.Instance.ID}) {
			t.Fatalf("seed %d: got %q given up once %s on %s runs, want %s, which was to move (%s) of %+v", seed, gone, started.ID, to, m.Instance.ID, m.Cause, list)
		}
	}
	for _, cause := range []MoveCause{MoveDrained, MoveDisplaced, MoveMisplaced, MoveCrowded} {
		if moved[cause] < 100 {
			t.Errorf("got %d moves for the cause %q, want many", moved[cause], cause)
		}
	}
}
