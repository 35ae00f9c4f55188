package main_test

import (
	"slices"
	"testing"

	"aorta/internal/testkit"
)

// labs is had by the tests that have a lab, two at a time, and three while the machine
// idles: they wait more than they work, but eight hosts, of which no request may fail,
// are as much as a machine of two processors has for them while others are at work.
var labs = newLane(2, 1)

// lane lets so many tests at a time to the labs, of which each is had by one alone. The
// longest come first, then those that want a lab that is there, and it stays for as long
// as somebody waits for it: its end and its start are eight daemons and four engines.
type lane struct {
	line  *testkit.Line[wish]
	taken map[*hosts]bool // those that are shared and there; true: by a test that is at work
}

// wish is what a test waits for.
type wish struct {
	test string
	lab  *hosts // nil: one of its own
}

func newLane(room, most int) *lane {
	l := &lane{taken: map[*hosts]bool{}}
	l.line = testkit.NewLine(room, most, l.choose)
	return l
}

// take waits for the lane, and gives it back after the test.
func (l *lane) take(tb testing.TB, wants *hosts) {
	tb.Helper()
	testkit.WaitTurn(tb, func() { <-l.line.Join(wish{tb.Name(), wants}) })
	tb.Cleanup(func() {
		stays := wants != nil && l.awaited(wants)
		if wants != nil && !stays {
			testkit.Must(tb, wants.end())
		}
		l.leave(wants, stays)
	})
}

// awaited says whether somebody waits for a lab.
func (l *lane) awaited(h *hosts) bool { return l.line.Awaited(func(w wish) bool { return w.lab == h }) }

func (l *lane) leave(had *hosts, stays bool) {
	l.line.Leave(func() {
		delete(l.taken, had)
		if stays {
			l.taken[had] = false
		}
	})
}

// choose has the test begin that comes next of those whose lab nobody has.
func (l *lane) choose(waiting []wish) int {
	chosen, best := -1, 0
	for i, w := range waiting {
		taken, there := l.taken[w.lab]
		rank := 2 * longest.Place(w.test)
		if !there {
			rank++
		}
		if !taken && (chosen < 0 || rank < best) {
			chosen, best = i, rank
		}
	}
	if chosen >= 0 && waiting[chosen].lab != nil {
		l.taken[waiting[chosen].lab] = true
	}
	return chosen
}

// As many tests as there is room for have labs, one has the same; who wants one that is
// there comes before those who came first, and what takes long before all.
func TestLane_KeepsALabForAllWhoWantIt(t *testing.T) {
	l := newLane(2, 0)
	first, second := new(hosts), new(hosts)
	var lined []<-chan struct{}
	for _, wants := range []*hosts{first, first, nil, second, first, nil} {
		lined = append(lined, l.line.Join(wish{"TestShort", wants}))
	}
	lined = append(lined, l.line.Join(wish{longest[0], nil}))

	begun := func(want ...int) {
		t.Helper()
		var got []int
		for i, begin := range lined {
			select {
			case <-begin:
				got = append(got, i)
			default:
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got the tests %v at work or done, want %v", got, want)
		}
	}

	begun(0, 2)
	l.leave(first, l.awaited(first))
	begun(0, 2, 6)
	l.leave(nil, false)
	begun(0, 1, 2, 6)
	l.leave(nil, false)
	begun(0, 1, 2, 3, 6)
	l.leave(first, l.awaited(first))
	begun(0, 1, 2, 3, 4, 6)
	l.leave(first, l.awaited(first))
	begun(0, 1, 2, 3, 4, 5, 6)
	if len(l.taken) != 1 || !l.taken[second] {
		t.Errorf("got the labs %v, want only the second, which is at work", l.taken)
	}
}
