package testkit

import (
	"flag"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Waited is the attribute by which a test says how long it has waited for its
// turn, as a time.Duration is written: its own time is less by that.
const Waited = "waited-for-turn"

// WaitTurn takes what others may have now, and says of the test how long that took.
func WaitTurn(tb testing.TB, take func()) {
	tb.Helper()
	begun := time.Now()
	take()
	tb.Attr(Waited, fmt.Sprint(time.Since(begun)))
}

// Slots bounds how many tests work at a time where testing's own bound won't do:
// there, a test that waits for what another one has keeps its place, and those
// that could work meanwhile don't. With slots, all tests are begun, and one takes
// its slot when it begins to use the machine.
type Slots struct {
	line *Line[string] // of names of tests

	mu   sync.Mutex // guards held
	held map[string]bool
}

// ParallelSlots makes as many slots as tests of the package would have run at a
// time, n unless -parallel says otherwise, and lets all run, in this order. While the
// machine idles, one less is lent beside them. It belongs into TestMain, and parses
// the flags.
func ParallelSlots(n int, first Order) *Slots {
	Parallel(n)
	bound := flag.Lookup("test.parallel").Value
	n, _ = strconv.Atoi(bound.String())
	_ = bound.Set("10000")
	s := newSlots(n, first)
	WhileIdle(s.line.Lend)
	return s
}

func newSlots(n int, first Order) *Slots {
	return &Slots{line: NewLine(n, n-1, first.of), held: map[string]bool{}}
}

// Take waits for a slot and gives it back after the test and what the test cleans
// up from here on. A test that has one, or whose parent has, needs no other.
func (s *Slots) Take(tb testing.TB) {
	tb.Helper()
	if s.has(tb.Name()) {
		return
	}
	WaitTurn(tb, func() { <-s.line.Join(tb.Name()) })
	s.hold(tb.Name(), true)
	tb.Cleanup(func() { s.line.Leave(func() { s.hold(tb.Name(), false) }) })
}

func (s *Slots) hold(name string, held bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[name] = held
}

func (s *Slots) has(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for up := true; up; name, up = parent(name) {
		if s.held[name] {
			return true
		}
	}
	return false
}

// parent is the test that a subtest belongs to.
func parent(name string) (string, bool) {
	i := strings.LastIndexByte(name, '/')
	return name[:max(i, 0)], i > 0
}
