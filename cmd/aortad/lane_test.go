package main_test

import (
	"slices"
	"sync"
	"testing"

	"aorta/internal/testkit"
)

// labs is had by the tests that have a lab, two at a time: they wait more than they work,
// but eight hosts, of which no request may fail, are as much as a machine of two
// processors has for them.
var labs = lane{room: 2}

// lane lets so many tests at a time to the labs, of which each is had by one alone. Those
// come first that want a lab that is there, and it stays for as long as somebody waits for
// it: its end and its start are eight daemons and four engines.
type lane struct {
	mu      sync.Mutex // guards what follows
	room    int
	waiting []turn
	taken   map[*hosts]bool // those that are shared and there; true: by a test that is at work
}

// turn is a test that waits, which begins once its channel is closed.
type turn struct {
	wants *hosts // nil: a lab of its own
	begin chan struct{}
}

// take waits for the lane, and gives it back after the test.
func (l *lane) take(tb testing.TB, wants *hosts) {
	tb.Helper()
	testkit.WaitTurn(tb, func() { <-l.line(wants) })
	tb.Cleanup(func() {
		stays := wants != nil && l.awaited(wants)
		if wants != nil && !stays {
			testkit.Must(tb, wants.end())
		}
		l.leave(wants, stays)
	})
}

// line joins those who wait. What it returns is closed when it is one's turn.
func (l *lane) line(wants *hosts) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := turn{wants, make(chan struct{})}
	l.waiting = append(l.waiting, next)
	l.call()
	return next.begin
}

// awaited says whether somebody waits for a lab.
func (l *lane) awaited(h *hosts) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.waiting, func(t turn) bool { return t.wants == h })
}

func (l *lane) leave(had *hosts, stays bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.room++
	delete(l.taken, had)
	if stays {
		l.taken[had] = false
	}
	l.call()
}

// call lets those begin for whom there is room.
func (l *lane) call() {
	for l.room > 0 {
		i := slices.IndexFunc(l.waiting, func(t turn) bool {
			taken, there := l.taken[t.wants]
			return there && !taken
		})
		if i < 0 {
			i = slices.IndexFunc(l.waiting, func(t turn) bool { return !l.taken[t.wants] })
		}
		if i < 0 {
			return
		}
		next := l.waiting[i]
		l.waiting = slices.Delete(l.waiting, i, i+1)
		l.room--
		if next.wants != nil {
			if l.taken == nil {
				l.taken = map[*hosts]bool{}
			}
			l.taken[next.wants] = true
		}
		close(next.begin)
	}
}

// As many tests as there is room for have labs, one has the same; who wants one that is
// there comes before those who came first.
func TestLane_KeepsALabForAllWhoWantIt(t *testing.T) {
	l := lane{room: 2}
	first, second := new(hosts), new(hosts)
	var lined []<-chan struct{}
	for _, wants := range []*hosts{first, first, nil, second, first, nil} {
		lined = append(lined, l.line(wants))
	}

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
	begun(0, 1, 2)
	l.leave(nil, false)
	begun(0, 1, 2, 3)
	l.leave(first, l.awaited(first))
	begun(0, 1, 2, 3, 4)
	l.leave(first, l.awaited(first))
	begun(0, 1, 2, 3, 4, 5)
	if len(l.taken) != 1 || !l.taken[second] {
		t.Errorf("got the labs %v, want only the second, which is at work", l.taken)
	}
}
