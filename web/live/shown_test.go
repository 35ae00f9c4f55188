package live

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/overview"
)

func TestShownOperations_KeepsOpenOnesAndTheNewestEnded(t *testing.T) {
	t.Parallel()
	var open, all []cluster.Operation
	for i := range 120 {
		op := cluster.Operation{ID: cluster.ID(string(rune('a'+i/26)) + string(rune('a'+i%26))), State: cluster.OperationSucceeded}
		if i%2 == 0 {
			op.State = cluster.OperationOpen
			open = append(open, op)
		}
		all = append([]cluster.Operation{op}, all...)
	}
	all[1].State = cluster.OperationFailed // it has ended since the open ones were read
	forgotten := cluster.Operation{ID: "Z", State: cluster.OperationFailed}

	own := make([]cluster.Operation, 2*ownShown)
	for i := range own {
		own[i] = cluster.Operation{ID: cluster.ID(fmt.Sprint("own", i)), State: cluster.OperationSucceeded}
	}

	shown := shownOperations(open, []cluster.Operation{all[1], forgotten}, newest{all, endedShown}, newest{own, ownShown})

	ids := map[cluster.ID]int{}
	for _, op := range shown {
		ids[op.ID]++
	}
	sorted := slices.IsSortedFunc(shown, func(a, b cluster.Operation) int { return strings.Compare(string(b.ID), string(a.ID)) })
	if len(shown) != endedShown+ownShown+len(open) || len(ids) != len(shown) || !sorted || ids["Z"] != 1 {
		t.Errorf("got %d with %d ids, sorted %t; want %d with the one that needs attention, each once, the newest first", len(shown), len(ids), sorted, endedShown+ownShown+len(open))
	}
}

func TestMemory_KnowsSinceWhen(t *testing.T) {
	t.Parallel()
	m := newMemory()
	at := func(s int) time.Time { return time.Unix(int64(s), 0).UTC() }
	guess := func(overview.Concern) (time.Time, bool) { return at(50), true }
	none := func(overview.Concern) (time.Time, bool) { return time.Time{}, false }
	shop := overview.Concern{Severity: overview.SeverityBad, Kind: "app", App: "shop"}
	node := overview.Concern{Severity: overview.SeverityWarn, Kind: "node", ID: "n", Since: at(30)}

	var got []time.Time
	look := func(severity overview.Severity, now int, guess func(overview.Concern) (time.Time, bool), concerns ...overview.Concern) {
		times := m.times(concerns, at(now), guess)
		got = append(append(got, times...), m.since(severity, concerns, times, at(1), at(now)))
	}
	look(overview.SeverityOK, 100, none)               // since the last change
	look(overview.SeverityBad, 101, none, shop, node)  // seen now; as written down
	look(overview.SeverityBad, 105, guess, shop, node) // as remembered
	look(overview.SeverityOK, 106, none)               // seen now
	look(overview.SeverityBad, 107, guess, shop)       // guessed
	look(overview.SeverityOK, 200, none)               // forgotten: since the last change

	want := []time.Time{at(1), at(101), at(30), at(101), at(101), at(30), at(101), at(106), at(50), at(50), at(1)}
	if !slices.EqualFunc(got, want, time.Time.Equal) {
		t.Errorf("got %v, want %v", got, want)
	}
}
