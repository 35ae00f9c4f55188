package plan

import (
	"cmp"
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
// move has ended before the next one begins. It is the one that Surplus gives up once
// another one runs in its place. One that is merely crowded moves only to a node with two
// fewer of its kind, which is for the caller to find.
func NextMoves(t Target, instances []cluster.Instance) []Move {
	kept := map[string][]cluster.Instance{}
	for _, in := range instances {
		if keeps(t, in) {
			kept[in.Type] = append(kept[in.Type], in)
		}
	}
	var out []Move
	for typ, list := range kept {
		if len(list) != t.Want[typ] {
			continue
		}
		if m, any := t.nextMove(t.byWorth("", list)); any {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, Move.compare)
	return out
}

// nextMove is the move of one of some instances of a process type, which are in the order
// of their worth. What is to leave waits for none that crashes elsewhere.
func (t Target) nextMove(list []cluster.Instance) (Move, bool) {
	for _, in := range slices.Backward(list) {
		if cause := t.Leaving[in.ID]; cause != "" && !t.lost(in) {
			return Move{in, cause, siblings(list, in)}, true
		}
	}
	last := list[len(list)-1]
	m := Move{last, MoveCrowded, siblings(list, last)}
	return m, m.Siblings > 1 && !t.Exclusive[last.Type] && !t.lost(last)
}

// siblings counts those on an instance's node, itself among them.
func siblings(list []cluster.Instance, of cluster.Instance) (n int) {
	for _, in := range list {
		if in.NodeID == of.NodeID {
			n++
		}
	}
	return n
}

// ranks are the causes in their order.
var ranks = map[MoveCause]int{MoveDrained: 0, MoveDisplaced: 1, MoveMisplaced: 2, MoveCrowded: 3}

// rank is lower the more pressing a cause is; what has none is the least.
func (c MoveCause) rank() int {
	if c == "" {
		return len(ranks)
	}
	return ranks[c]
}

// Rank is lower the more pressing the cause is.
func (m Move) Rank() int { return m.Cause.rank() }

// compare puts in order what goes first: by cause; from the node with more of its kind;
// then the older one.
func (m Move) compare(o Move) int {
	return cmp.Or(cmp.Compare(m.Rank(), o.Rank()), -cmp.Compare(m.Siblings, o.Siblings), cmp.Compare(m.Instance.ID, o.Instance.ID))
}
