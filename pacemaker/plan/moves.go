package plan

import (
	"cmp"
	"maps"
	"slices"

	"aorta/pacemaker/cluster"
)

// MoveCause says why an instance is to run elsewhere.
type MoveCause string

// The causes, the most pressing first.
const (
	MoveDrained   MoveCause = "drain"   // its node is emptied
	MoveDisplaced MoveCause = "address" // it is published at another address than its node has
	MoveMisplaced MoveCause = "tags"    // its node has not got what its process type requires
	MoveCrowded   MoveCause = "spread"  // another node has fewer of its kind
)

// Move is an instance that is to run elsewhere.
type Move struct {
	Instance cluster.Instance
	Cause    MoveCause
	Siblings int // on its node, itself among them
}

// NextMoves are the instances of an app of which one is to move next, the most pressing
// first: one of each process type of which there is just as much as is wanted, so that a
// move has ended before the next one begins. One that is merely crowded moves only to a
// node with two fewer of its kind, which is for the caller to find.
func NextMoves(t Target, instances []cluster.Instance) []Move {
	best := map[string]Move{}
	siblings := t.siblings(instances)
	for _, in := range instances {
		if !keeps(t, in) || t.Lost[in.NodeID] || total(siblings[in.Type]) != t.Want[in.Type] {
			continue
		}
		m := Move{Instance: in, Cause: t.Leaving[in.ID], Siblings: siblings[in.Type][in.NodeID]}
		switch {
		case m.Cause != "":
		case m.Siblings > 1 && !t.Exclusive[in.Type]:
			m.Cause = MoveCrowded
		default:
			continue
		}
		if b, any := best[in.Type]; !any || m.compare(b) < 0 {
			best[in.Type] = m
		}
	}
	return slices.SortedFunc(maps.Values(best), Move.compare)
}

func total(counts map[cluster.ID]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// siblings counts, by process type and node, what the target keeps.
func (t Target) siblings(instances []cluster.Instance) map[string]map[cluster.ID]int {
	counts := map[string]map[cluster.ID]int{}
	for _, in := range instances {
		if !keeps(t, in) {
			continue
		}
		if counts[in.Type] == nil {
			counts[in.Type] = map[cluster.ID]int{}
		}
		counts[in.Type][in.NodeID]++
	}
	return counts
}

// ranks are the causes in their order.
var ranks = map[MoveCause]int{MoveDrained: 0, MoveDisplaced: 1, MoveMisplaced: 2, MoveCrowded: 3}

// Rank is lower the more pressing the cause is.
func (m Move) Rank() int { return ranks[m.Cause] }

// compare puts in order what goes first: by cause; from the node with more of its kind;
// then the older one.
func (m Move) compare(o Move) int {
	return cmp.Or(cmp.Compare(m.Rank(), o.Rank()), -cmp.Compare(m.Siblings, o.Siblings), cmp.Compare(m.Instance.ID, o.Instance.ID))
}
