package logs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// engine writes a container's log files as the engine's json-file driver does.
type engine struct {
	tb    testing.TB
	path  string
	size  int // of a file, before it is rotated
	files int
	out   *os.File
	now   time.Time
	lines int
}

func newEngine(tb testing.TB, size, files int) *engine {
	tb.Helper()
	e := &engine{tb: tb, path: filepath.Join(tb.TempDir(), "c-json.log"), size: size, files: files, now: time.Unix(1_700_000_000, 0).UTC()}
	e.open()
	tb.Cleanup(func() { _ = e.out.Close() })
	return e
}

func (e *engine) open() {
	e.tb.Helper()
	var err error
	if e.out, err = os.OpenFile(e.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640); err != nil {
		e.tb.Fatal(err)
	}
}

// raw writes bytes, after the rotation that is due.
func (e *engine) raw(text string) {
	e.tb.Helper()
	if e.full("") {
		e.rotate()
	}
	if _, err := e.out.WriteString(text); err != nil {
		e.tb.Fatal(err)
	}
}

// full says whether the file is to be rotated once it has more.
func (e *engine) full(more string) bool {
	info, err := e.out.Stat()
	return err == nil && info.Size()+int64(len(more)) >= int64(e.size)
}

func (e *engine) rotate() {
	e.tb.Helper()
	_ = e.out.Close()
	name := func(i int) string { return fmt.Sprintf("%s.%d", e.path, i) }
	_ = os.Remove(name(e.files - 1))
	for i := e.files - 1; i > 1; i-- {
		_ = os.Rename(name(i-1), name(i))
	}
	if err := os.Rename(e.path, name(1)); err != nil {
		e.tb.Fatal(err)
	}
	e.open()
}

// write writes what a process printed on a stream, without an end of line if
// there is none.
func (e *engine) write(stream, text string) {
	e.tb.Helper()
	e.raw(e.entry(stream, text))
}

// entry is the record of what was printed.
func (e *engine) entry(stream, text string) string {
	e.tb.Helper()
	e.now = e.now.Add(time.Microsecond)
	rec, err := json.Marshal(map[string]any{"log": text, "stream": stream, "time": e.now})
	if err != nil {
		e.tb.Fatal(err)
	}
	return string(rec) + "\n"
}

// print prints so many further numbered lines, in turn on both streams: all at
// once, so that nobody reads half of them, but for the rotations between them.
func (e *engine) print(n int) {
	e.tb.Helper()
	var text strings.Builder
	for range n {
		text.WriteString(e.entry([]string{"stdout", "stderr"}[e.lines%2], numbered(e.lines)+"\n"))
		e.lines++
		if e.full(text.String()) {
			e.raw(text.String())
			text.Reset()
		}
	}
	if text.Len() > 0 {
		e.raw(text.String())
	}
}

func numbered(n int) string { return fmt.Sprintf("line %06d", n) }

func allNumbered(from, to int) (list []string) {
	for n := from; n < to; n++ {
		list = append(list, numbered(n))
	}
	return list
}

// store is a log store that can be away. It keeps positions as the real one does.
type store struct {
	// mu guards all fields.
	mu      sync.Mutex
	away    error
	deaf    int // so many batches are stored and their answers lost
	at      map[cluster.ID]string
	lines   map[cluster.ID][]cluster.LogText
	batches int
}

func newStore() *store {
	return &store{at: map[cluster.ID]string{}, lines: map[cluster.ID][]cluster.LogText{}}
}

func (s *store) ShipLogs(_ context.Context, parts []cluster.LogPart) (refused []cluster.LogPosition, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away != nil {
		return nil, s.away
	}
	s.batches++
	for _, p := range parts {
		if p.From != s.at[p.Instance] {
			refused = append(refused, cluster.LogPosition{Instance: p.Instance, At: s.at[p.Instance]})
			continue
		}
		if len(p.Lines) > 0 && p.From == p.To || len(p.To) > cluster.MaxLogPosition {
			return nil, cluster.Invalid("parts", "from %q to %q with %d lines", p.From, p.To, len(p.Lines))
		}
		s.at[p.Instance] = p.To
		s.lines[p.Instance] = append(s.lines[p.Instance], p.Lines...)
	}
	if s.deaf > 0 {
		s.deaf--
		return nil, errors.New("the answer was lost")
	}
	return refused, nil
}

func (s *store) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// texts are an instance's lines on all streams, or on one.
func (s *store) texts(id cluster.ID, streams ...string) (list []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.lines[id] {
		if len(streams) == 0 || slices.Contains(streams, l.Stream) {
			list = append(list, l.Text)
		}
	}
	return list
}

func (s *store) count(id cluster.ID) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.lines[id])
}

func (s *store) app(id cluster.ID) []string    { return s.texts(id, "stdout", "stderr") }
func (s *store) system(id cluster.ID) []string { return s.texts(id, systemStream) }

// heart is a shipper that runs until kill, or the end of the test.
type heart struct {
	*Shipper
	kill func()
}

func startHeart(tb testing.TB, s *store, change ...func(*Options)) *heart {
	tb.Helper()
	o := Options{Log: slog.New(slog.DiscardHandler), Files: 3, Held: 1 << 20}
	for _, c := range change {
		c(&o)
	}
	h := &heart{Shipper: New(s, o)}
	h.rest = time.Hour // the kernel tells
	ctx, cancel := context.WithCancel(context.WithoutCancel(tb.Context()))
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx); close(ended) }() // ends with cancel
	h.kill = func() { cancel(); <-ended }
	tb.Cleanup(h.kill)
	return h
}

func holds(n int64) func(*Options) { return func(o *Options) { o.Held = n } }

// wantShipped waits until the store has so many lines and checks that it has
// exactly these.
func wantShipped(tb testing.TB, s *store, id cluster.ID, want []string) {
	tb.Helper()
	testkit.Eventually(tb, fmt.Sprintf("%d lines in the store", len(want)), func() bool { return len(s.app(id)) >= len(want) })
	wantTexts(tb, s.app(id), want)
}

func wantTexts(tb testing.TB, got, want []string) {
	tb.Helper()
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			tb.Fatalf("line %d of %d: got %.80q, want %.80q of %d", i, len(got), at(got, i), at(want, i), len(want))
		}
	}
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return "nothing"
}

// wantSaid checks that the app's log has one line of the platform with these
// words.
func wantSaid(tb testing.TB, got []string, words ...string) {
	tb.Helper()
	if len(got) != 1 {
		tb.Fatalf("the platform said %q, want one line with %q", got, words)
	}
	for _, w := range words {
		if !strings.Contains(got[0], w) {
			tb.Errorf("the platform said %q, want %q in it", got[0], w)
		}
	}
}
