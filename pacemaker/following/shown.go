package following

import (
	"cmp"
	"slices"

	"aorta/pacemaker/cluster"
)

// Foremost picks up to n of the open operations, which are in the order of their
// coming: those that have begun, then the newest of those that wait.
func Foremost(open []cluster.Operation, n int) []cluster.Operation {
	if len(open) <= n {
		return open
	}
	rank := make(map[cluster.ID]int, len(open)) // the lower, the sooner it is shown
	for i, op := range open {
		rank[op.ID] = len(open) - i
		if cluster.MayBegin(open, op) {
			rank[op.ID] -= len(open)
		}
	}
	byRank := slices.SortedFunc(slices.Values(open), func(a, b cluster.Operation) int { return cmp.Compare(rank[a.ID], rank[b.ID]) })
	last := rank[byRank[n-1].ID]
	return slices.DeleteFunc(slices.Clone(open), func(op cluster.Operation) bool { return rank[op.ID] > last })
}
