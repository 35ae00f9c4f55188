package main_test

import (
	"slices"
	"sync"
	"testing"

	"aorta/internal/testkit"
)

// labs is had by the test that has a lab: four hosts at work, of which no request may
// fail, are as much as a machine of two processors has for them.
var labs lane

// lane lets one test at a time to the labs, those first that want the lab that is there:
// each change of labs is eight daemons and four engines that end and start.
type lane struct {
	mu      sync.Mutex // guards what follows
	taken   bool
	there   *hosts // the lab that the last test has left; nil: one that nobody else uses
	waiting []turn
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
	tb.Cleanup(l.leave)
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

func (l *lane) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taken = false
	l.call()
}

// call lets the next one begin if nobody is at work.
func (l *lane) call() {
	if l.taken || len(l.waiting) == 0 {
		return
	}
	i := max(0, slices.IndexFunc(l.waiting, func(t turn) bool { return t.wants == l.there }))
	next := l.waiting[i]
	l.waiting = slices.Delete(l.waiting, i, i+1)
	l.taken, l.there = true, next.wants
	close(next.begin)
}

// One test at a time has the lane, and those who want the lab that is there come before
// those who came first.
func TestLane_KeepsALabForAllWhoWantIt(t *testing.T) {
	var l lane
	first, second := new(hosts), new(hosts)
	var lined []<-chan struct{}
	for _, wants := range []*hosts{first, second, nil, first, second} {
		lined = append(lined, l.line(wants))
	}

	for _, next := range []int{0, 3, 1, 4, 2} {
		for i, begin := range lined {
			select {
			case <-begin:
				if i != next {
					t.Fatalf("test %d has begun, want only %d", i, next)
				}
			default:
				if i == next {
					t.Fatalf("test %d has not begun", i)
				}
			}
		}
		lined[next] = nil
		l.leave()
	}
}
