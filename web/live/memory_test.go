package live

import (
	"slices"
	"testing"
	"time"

	"aorta/pacemaker/overview"
)

// Since when a state lasts is said only if somebody has seen it begin.
func TestMemory_SaysOnlyTheBeginningsThatItSaw(t *testing.T) {
	begin := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	at := func(seconds int) time.Time { return begin.Add(time.Duration(seconds) * time.Second) }
	concern := func(app string) overview.Concern {
		return overview.Concern{Severity: overview.SeverityBad, Kind: "app", App: app}
	}
	guessNone := func(overview.Concern) (time.Time, bool) { return time.Time{}, false }
	old, fresh := concern("old"), concern("fresh")
	m := newMemory()

	for _, look := range []struct {
		second    int
		concerns  []overview.Concern
		want      []time.Time
		wantWorst time.Time
	}{
		{0, []overview.Concern{old}, []time.Time{{}}, time.Time{}},
		{1, []overview.Concern{old, fresh}, []time.Time{{}, at(1)}, time.Time{}},
		{2, []overview.Concern{fresh}, []time.Time{at(1)}, at(1)},
		// Nobody watches for a minute.
		{62, []overview.Concern{fresh, old}, []time.Time{{}, {}}, time.Time{}},
	} {
		now := at(look.second)

		got := m.times(look.concerns, now, guessNone)
		worst := m.since(overview.SeverityBad, look.concerns, got, begin, now)

		if !slices.Equal(got, look.want) || !worst.Equal(look.wantWorst) {
			t.Errorf("after %d s: got %v and %v, want %v and %v", look.second, got, worst, look.want, look.wantWorst)
		}
	}
}
