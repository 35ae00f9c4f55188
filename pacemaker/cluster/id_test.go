package cluster

import (
	"strings"
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

func TestParseID_AcceptsTheCanonicalFormAlone(t *testing.T) {
	good := string(NewID())
	for text, ok := range map[string]bool{
		good: true, "0192d3a0-0000-7000-8000-000000000001": true,
		"": false, strings.ToUpper(good): false, "{" + good + "}": false, "urn:uuid:" + good: false, strings.ReplaceAll(good, "-", ""): false,
		good + " ": false, good[1:]: false, good + "0": false, "../" + good: false, strings.Repeat("a", 1000): false, "g" + good[1:]: false,
	} {
		id, err := ParseID(text)

		wantInvalid(t, text, err, "id", ok)
		if ok != (string(id) == text && text != "") {
			t.Errorf("%.50q: got %q", text, id)
		}
	}
}

func FuzzParseID(f *testing.F) {
	f.Add(string(NewID()))
	f.Add("urn:uuid:0192d3a0-0000-7000-8000-000000000001")
	f.Fuzz(func(t *testing.T, text string) {
		id, err := ParseID(text)
		if err == nil && (string(id) != text || len(id) != 36 || strings.Trim(text, "0123456789abcdef-") != "") {
			t.Errorf("%q was taken for an id", text)
		}
		_ = ID(text).Time()
		if short := ID(text).Short(); len(short) > 8 || !strings.HasSuffix(text, short) {
			t.Errorf("%q: got the short form %q", text, short)
		}
	})
}

func TestNewID_SortsByAgeAndNeverComesTwice(t *testing.T) {
	seen := map[ID]bool{}
	var last ID
	for range 10_000 {
		id := NewID()
		if seen[id] || id <= last {
			t.Fatalf("got %s after %s, want a later one that was never there", id, last)
		}
		seen[id], last = true, id
	}
}

func TestDeriveID_IsTheSameEachTimeAndTellsItsPartsApart(t *testing.T) {
	parent, other := NewID(), NewID()
	first := DeriveID(parent, "build", 0)
	seen := map[ID]string{parent: "its parent", first: "itself"}

	if again := DeriveID(parent, "build", 0); again != first {
		t.Errorf("got %s, then %s", first, again)
	}
	for name, id := range map[string]ID{
		"another number": DeriveID(parent, "build", 1), "another role": DeriveID(parent, "release", 0), "another parent": DeriveID(other, "build", 0),
		"a child of its own": DeriveID(first, "build", 0), "no parent": DeriveID("", "build", 0), "odd parent": DeriveID("x", "build", 0),
		"a role with a number": DeriveID(parent, "build/1", 0), "a role of two": DeriveID(parent, "build/0", 1),
	} {
		if was, ok := seen[id]; ok {
			t.Errorf("%s is %s", name, was)
		}
		seen[id] = name
		if _, err := ParseID(string(id)); err != nil {
			t.Errorf("%s: got %v, want an id", name, err)
		}
	}
}
