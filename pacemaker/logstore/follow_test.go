package logstore

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
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

func follow(tb testing.TB, s *Store, q Query, from uint64) *Follower {
	tb.Helper()
	f, err := s.Follow(tb.Context(), shop, q, from)
	if err != nil {
		tb.Fatalf("Follow: %v", err)
	}
	return f
}

// told is an entry as its follower sees it.
type told struct {
	Cursor uint64
	Line   cluster.LogLine
	Missed uint64
}

func toldBy(e *Entry) told {
	if e.Missed > 0 {
		return told{Cursor: e.Cursor, Missed: e.Missed}
	}
	return told{Cursor: e.Cursor, Line: e.Line()}
}

// next is what comes next, a page's at the most.
func next(tb testing.TB, f *Follower) []told {
	tb.Helper()
	some, err := f.Next(testkit.Bounded(tb))
	if err != nil || len(some) == 0 {
		tb.Fatalf("got %d entries, %v; want some", len(some), err)
	}
	var list []told
	for _, e := range some {
		list = append(list, toldBy(e))
	}
	return list
}

// take reads n entries, which end with what one Next gives.
func take(tb testing.TB, f *Follower, n int) []told {
	tb.Helper()
	var list []told
	for len(list) < n {
		list = append(list, next(tb, f)...)
	}
	if len(list) != n {
		tb.Fatalf("got %d entries, want %d", len(list), n)
	}
	return list
}

// entries are lines with rising cursors.
func entries(cursor uint64, list []cluster.LogLine) []told {
	var out []told
	for i, l := range list {
		out = append(out, told{Cursor: cursor + uint64(i), Line: l})
	}
	return out
}

func wantEntries(tb testing.TB, got, want []told) {
	tb.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		tb.Errorf("entries (-want +got):\n%s", diff)
	}
}

func TestFollow_GivesTheTailThenWhatComes(t *testing.T) {
	s := open(t, t.TempDir(), Config{SegmentBytes: 1000})
	add(t, s, lines("a", 0, 15))
	add(t, s, lines("a", 15, 20))
	live := follow(t, s, Query{Limit: 8}, 0)

	wantEntries(t, take(t, live, 8), entries(13, lines("a", 12, 20)))
	add(t, s, lines("a", 20, 25))
	wantEntries(t, take(t, live, 5), entries(21, lines("a", 20, 25)))
}

func TestFollow_WithoutALimitGivesOnlyWhatComes(t *testing.T) {
	s := open(t, t.TempDir(), Config{})
	fresh := follow(t, s, Query{}, 0) // before there is any log
	add(t, s, lines("a", 0, 3))
	later := follow(t, s, Query{}, 0)
	add(t, s, lines("a", 3, 5))

	wantEntries(t, take(t, fresh, 5), entries(1, lines("a", 0, 5)))
	wantEntries(t, take(t, later, 2), entries(4, lines("a", 3, 5)))
}

func TestFollow_ResumesBehindItsCursor(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Config{SegmentBytes: 1000})
	add(t, s, lines("a", 0, 30))
	last := take(t, follow(t, s, Query{Limit: 30}, 0), 30)[11].Cursor
	add(t, s, lines("a", 30, 60))
	s.tidy(t.Context())
	_ = s.Close()
	s = open(t, dir, Config{SegmentBytes: 1000})

	again := follow(t, s, Query{}, last)
	got := take(t, again, 48)
	add(t, s, lines("a", 60, 70))
	got = append(got, take(t, again, 10)...)

	wantEntries(t, got, entries(13, lines("a", 12, 70)))
}

func TestFollow_FromTheFutureWaitsForWhatComes(t *testing.T) {
	s := open(t, t.TempDir(), Config{})
	add(t, s, lines("a", 0, 3))
	live := follow(t, s, Query{}, 1<<63)

	add(t, s, lines("a", 3, 4))

	wantEntries(t, take(t, live, 1), entries(4, lines("a", 3, 4)))
}

func TestFollow_Filters(t *testing.T) {
	s := open(t, t.TempDir(), Config{})
	add(t, s, append(lines("a", 0, 10), lines("b", 0, 10)...))
	live := follow(t, s, Query{Instance: "a", Search: "says 1", Limit: 5}, 0)

	add(t, s, lines("b", 10, 20))
	add(t, s, lines("a", 10, 12))

	want := append(entries(2, lines("a", 1, 2)), entries(31, lines("a", 10, 12))...)
	wantEntries(t, take(t, live, 3), want)
}

func TestFollow_GoesOnWhileSegmentsAreCompressed(t *testing.T) {
	s := open(t, t.TempDir(), Config{SegmentBytes: 3000})
	stop := start(t, s)
	defer stop()
	live := follow(t, s, Query{}, 0)
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
	live := follow(t, s, Query{}, 1)

	add(t, s, lines("a", 1, 90))
	within := take(t, live, 89)
	add(t, s, lines("a", 90, 1000))
	beyond := take(t, live, 1+10)

	wantEntries(t, within, entries(2, lines("a", 1, 90)))
	wantEntries(t, beyond, append([]told{{Cursor: 990, Missed: 900}}, entries(991, lines("a", 990, 1000))...))
}

func TestFollow_TellsWhatWasThrownAway(t *testing.T) {
	s := open(t, t.TempDir(), Config{SegmentBytes: 1000, MaxBytesPerApp: 2000})
	for n := 0; n < 200; n += 20 {
		add(t, s, lines("a", n, n+20))
	}
	s.tidy(t.Context())

	live := follow(t, s, Query{}, 5)

	e := next(t, live)[0]
	if e.Missed == 0 || e.Cursor != 5+e.Missed {
		t.Errorf("first entry: got %+v, want the news of what is missing", e)
	}
	if then := next(t, live)[0]; then.Cursor != e.Cursor+1 || then.Line != line("a", int(e.Cursor)) {
		t.Errorf("second entry: got %+v, want line %d", then, e.Cursor+1)
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

	live := follow(t, s, Query{}, 1)

	want := entries(2, lines("a", 1, 20))
	want = append(want, told{Cursor: 40, Missed: 20})
	want = append(want, entries(41, lines("a", 40, 60))...)
	wantEntries(t, take(t, live, len(want)), want)
}

func TestFollow_EndsWithTheStore(t *testing.T) {
	s := open(t, t.TempDir(), Config{})
	live := follow(t, s, Query{}, 0)

	_ = s.Close()

	wantEnd(t, live)
}

func wantEnd(tb testing.TB, f *Follower) {
	tb.Helper()
	if some, err := f.Next(testkit.Bounded(tb)); !errors.Is(err, ErrEnded) {
		tb.Errorf("got %d entries and %v, want the end", len(some), err)
	}
}

func TestFollow_GoesOnAfterItsReaderLookedElsewhere(t *testing.T) {
	s := open(t, t.TempDir(), Config{})
	live := follow(t, s, Query{}, 0)
	gone, cancel := context.WithCancel(t.Context())
	cancel()

	_, err := live.Next(gone)
	add(t, s, lines("a", 0, 3))

	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the reader's own end", err)
	}
	wantEntries(t, take(t, live, 3), entries(1, lines("a", 0, 3)))
}

// However many follow a log, it is read and rendered once, whatever they filter.
func TestFollow_ReadsOnceForAll(t *testing.T) {
	s := open(t, t.TempDir(), Config{})
	add(t, s, append(lines("a", 0, 1000), lines("b", 0, 1000)...))
	followers := make([]*Follower, 40)
	for i := range followers {
		followers[i] = follow(t, s, Query{Instance: cluster.ID([]string{"", "b"}[i%2])}, 1)
	}
	rendered := map[uint64]int{}
	var texts int
	render := func(e *Entry) []byte {
		rendered[e.Cursor]++
		return []byte(e.Line().Text)
	}

	for _, f := range followers {
		for cursor := uint64(0); cursor < 2000; {
			some, err := f.Next(testkit.Bounded(t))
			testkit.Must(t, err)
			for _, e := range some {
				cursor = e.Cursor
				e.Form(render)
				texts++
			}
		}
	}

	if most := slices.Max(slices.Collect(maps.Values(rendered))); texts != 20*1999+20*1000 || most != 1 {
		t.Errorf("got %d texts, of which one was rendered %d times; want %d, each rendered once", texts, most, 20*1999+20*1000)
	}
}

// A page is what a slow reader holds.
func TestFollow_GivesAPageAtTheMost(t *testing.T) {
	s := open(t, t.TempDir(), Config{})
	long := lines("a", 0, 100)
	for i := range long {
		long[i].Text = strings.Repeat("x", 10_000)
	}
	add(t, s, append(long, lines("b", 0, 2000)...))
	live := follow(t, s, Query{}, 1)

	for seen := 1; seen < 2100; {
		some := next(t, live)
		bytes := 0
		for _, e := range some {
			bytes += len(e.Line.Text)
		}
		if seen += len(some); bytes > pageBytes+10_000 || len(some) > pageLines {
			t.Errorf("got %d lines of %d bytes, want a page at the most", len(some), bytes)
		}
	}
}
