package logstore

import (
	"context"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// start runs the store's loop; the answer ends it and waits.
func start(tb testing.TB, s *Store) (stop func()) {
	tb.Helper()
	ctx, cancel := context.WithCancel(tb.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			tb.Errorf("Run: %v", err)
		}
	}
}

func follow(tb testing.TB, s *Store, q Query, from uint64) (<-chan Entry, context.CancelFunc) {
	tb.Helper()
	ctx, cancel := context.WithCancel(tb.Context())
	tb.Cleanup(cancel)
	live, err := s.Follow(ctx, shop, q, from)
	if err != nil {
		tb.Fatalf("Follow: %v", err)
	}
	return live, cancel
}

// take reads n entries.
func take(tb testing.TB, live <-chan Entry, n int) []Entry {
	tb.Helper()
	ctx := testkit.Bounded(tb)
	var list []Entry
	for len(list) < n {
		select {
		case e, ok := <-live:
			if !ok {
				tb.Fatalf("follower ended after %d entries, want %d", len(list), n)
			}
			list = append(list, e)
		case <-ctx.Done():
			tb.Fatalf("got %d entries, want %d: %v", len(list), n, ctx.Err())
		}
	}
	return list
}

// entries are lines with rising cursors.
func entries(cursor uint64, list []cluster.LogLine) []Entry {
	var out []Entry
	for i, l := range list {
		out = append(out, Entry{Cursor: cursor + uint64(i), Line: l})
	}
	return out
}

func wantEntries(tb testing.TB, got, want []Entry) {
	tb.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		tb.Errorf("entries (-want +got):\n%s", diff)
	}
}

func TestFollow_GivesTheTailThenWhatComes(t *testing.T) {
	s := open(t, t.TempDir(), Config{SegmentBytes: 1000})
	add(t, s, lines("a", 0, 15))
	add(t, s, lines("a", 15, 20))
	live, _ := follow(t, s, Query{Limit: 8}, 0)

	wantEntries(t, take(t, live, 8), entries(13, lines("a", 12, 20)))
	add(t, s, lines("a", 20, 25))
	wantEntries(t, take(t, live, 5), entries(21, lines("a", 20, 25)))
}

func TestFollow_WithoutALimitGivesOnlyWhatComes(t *testing.T) {
	s := open(t, t.TempDir(), Config{})
	fresh, _ := follow(t, s, Query{}, 0) // before there is any log
	add(t, s, lines("a", 0, 3))
	later, _ := follow(t, s, Query{}, 0)
	add(t, s, lines("a", 3, 5))

	wantEntries(t, take(t, fresh, 5), entries(1, lines("a", 0, 5)))
	wantEntries(t, take(t, later, 2), entries(4, lines("a", 3, 5)))
}

func TestFollow_ResumesBehindItsCursor(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Config{SegmentBytes: 1000})
	add(t, s, lines("a", 0, 30))
	live, cancel := follow(t, s, Query{Limit: 30}, 0)
	last := take(t, live, 12)[11].Cursor
	cancel()
	add(t, s, lines("a", 30, 60))
	s.tidy(t.Context())
	_ = s.Close()
	s = open(t, dir, Config{SegmentBytes: 1000})

	again, _ := follow(t, s, Query{}, last)
	got := take(t, again, 48)
	add(t, s, lines("a", 60, 70))
	got = append(got, take(t, again, 10)...)

	wantEntries(t, got, entries(13, lines("a", 12, 70)))
}

func TestFollow_FromTheFutureWaitsForWhatComes(t *testing.T) {
	s := open(t, t.TempDir(), Config{})
	add(t, s, lines("a", 0, 3))
	live, _ := follow(t, s, Query{}, 1<<63)

	add(t, s, lines("a", 3, 4))

	wantEntries(t, take(t, live, 1), entries(4, lines("a", 3, 4)))
}

func TestFollow_Filters(t *testing.T) {
	s := open(t, t.TempDir(), Config{})
	add(t, s, append(lines("a", 0, 10), lines("b", 0, 10)...))
	live, _ := follow(t, s, Query{Instance: "a", Search: "says 1", Limit: 5}, 0)

	add(t, s, lines("b", 10, 20))
	add(t, s, lines("a", 10, 12))

	want := append(entries(2, lines("a", 1, 2)), entries(31, lines("a", 10, 12))...)
	wantEntries(t, take(t, live, 3), want)
}

func TestFollow_GoesOnWhileSegmentsAreCompressed(t *testing.T) {
	s := open(t, t.TempDir(), Config{SegmentBytes: 3000})
	stop := start(t, s)
	defer stop()
	live, _ := follow(t, s, Query{}, 0)
	const total = 1000
	go func() {
		for n := 0; n < total; n += 20 {
			_, _ = s.Append(t.Context(), parts(s, lines("a", n, n+20)))
		}
	}()

	wantEntries(t, take(t, live, total), entries(1, lines("a", 0, total)))
}

func TestFollow_SlowReaderIsToldWhatItMissed(t *testing.T) {
	s := open(t, t.TempDir(), Config{MaxLag: 100})
	add(t, s, lines("a", 0, 1))
	live, _ := follow(t, s, Query{}, 1)

	// More than the channel holds, then more than the allowed lag.
	add(t, s, lines("a", 1, 90))
	first := take(t, live, 1)[0]
	add(t, s, lines("a", 90, 1000))
	seen, missed := uint64(1), uint64(0)
	for seen+missed < 999 {
		e := take(t, live, 1)[0]
		if e.Missed > 0 {
			missed += e.Missed
			continue
		}
		seen++
		if want := line("a", int(e.Cursor)-1); e.Line != want {
			t.Fatalf("entry %d: got %v, want %v", e.Cursor, e.Line, want)
		}
	}

	if first.Cursor != 2 || missed == 0 {
		t.Errorf("got first cursor %d and %d missed, want 2 and some", first.Cursor, missed)
	}
}

func TestFollow_TellsWhatWasThrownAway(t *testing.T) {
	s := open(t, t.TempDir(), Config{SegmentBytes: 1000, MaxBytesPerApp: 2000})
	for n := 0; n < 200; n += 20 {
		add(t, s, lines("a", n, n+20))
	}
	s.tidy(t.Context())

	live, _ := follow(t, s, Query{}, 5)

	e := take(t, live, 1)[0]
	if e.Missed == 0 || e.Cursor != 5+e.Missed {
		t.Errorf("first entry: got %+v, want the news of what is missing", e)
	}
	if next := take(t, live, 1)[0]; next.Cursor != e.Cursor+1 || next.Line != line("a", int(e.Cursor)) {
		t.Errorf("second entry: got %+v, want line %d", next, e.Cursor+1)
	}
}

func TestFollow_PassesOverASegmentThatCantBeRead(t *testing.T) {
	s := open(t, t.TempDir(), Config{SegmentBytes: 1000})
	for n := 0; n < 60; n += 20 {
		add(t, s, lines("a", n, n+20))
	}
	s.tidy(t.Context())
	if err := os.WriteFile(files(t, s, ".zst")[1], []byte("not zstd"), 0o600); err != nil {
		t.Fatal(err)
	}

	live, _ := follow(t, s, Query{}, 1)

	want := entries(2, lines("a", 1, 20))
	want = append(want, Entry{Cursor: 40, Missed: 20})
	want = append(want, entries(41, lines("a", 40, 60))...)
	wantEntries(t, take(t, live, len(want)), want)
}

func TestFollow_EndsWithTheStore(t *testing.T) {
	s := open(t, t.TempDir(), Config{})
	live, _ := follow(t, s, Query{}, 0)

	_ = s.Close()

	if e, ok := <-live; ok {
		t.Errorf("got %+v, want the end", e)
	}
}
