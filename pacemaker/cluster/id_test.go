package cluster

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestID_TellsWhenItWasMade(t *testing.T) {
	before := time.Now().Truncate(time.Millisecond)
	id := NewID()
	after := time.Now()

	for name, id := range map[string]ID{"its own": id, "what follows from it": DeriveID(id, "build", 0)} {
		if got := id.Time(); got.Before(before) || got.After(after) {
			t.Errorf("%s: got %s, want it from %s to %s", name, got, before, after)
		}
	}
	if got := ID("no id").Time(); !got.IsZero() {
		t.Errorf("got %s for what is no id, want none", got)
	}
}

func TestFirstIDAt_IsBelowWhatIsMadeThenAndAboveWhatWasBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMilli(rapid.Int64Range(0, maxMilli-1).Draw(t, "ms"))

		bound, next := FirstIDAt(at), FirstIDAt(at.Add(time.Millisecond))

		if _, err := ParseID(string(bound)); err != nil || !bound.Time().Equal(at) || bound >= next {
			t.Errorf("got %s (%v) and then %s, want ids of %s and of the next millisecond", bound, err, next, at)
		}
	})
	for _, far := range []time.Time{{}, time.Unix(1<<55, 0), time.Unix(-1, 0)} {
		if _, err := ParseID(string(FirstIDAt(far))); err != nil {
			t.Errorf("%s: got %v, want an id", far, err)
		}
	}
}

func TestOperationKind_Family(t *testing.T) {
	for kind, want := range map[OperationKind]int{OpDeploy: 2, OpRelease: 2, OpRestart: 2, OpStop: 2, OpScale: 1, OpDestroy: 1, OpPrune: 1} {
		if got := kind.Family(); len(got) != want || !contains(got, kind) {
			t.Errorf("%s: got %v, want %d kinds and itself among them", kind, got, want)
		}
	}
}
