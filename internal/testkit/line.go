package testkit

import (
	"slices"
	"sync"
)

// Line is where tests wait for room. Whoever goes into it says what it wants; who of
// those that wait goes on is chosen each time that there is room.
type Line[W any] struct {
	choose func(waiting []W) int // the one that goes on; less than 0: none of them may now
	most   int                   // places that may be lent at a time

	mu      sync.Mutex // guards what follows, and what choose looks at
	room    int        // free places
	lent    int        // tests that are at work without a place of their own, by Lend
	waiting []waiter[W]
}

type waiter[W any] struct {
	wants W
	begin chan struct{} // closed when it may begin
}

// NewLine has so many places, and as many as most to lend. What choose returns begins;
// it is called by one at a time.
func NewLine[W any](room, most int, choose func(waiting []W) int) *Line[W] {
	return &Line[W]{choose: choose, most: most, room: room}
}

// Join joins those who wait. What it returns is closed when it is one's turn.
func (l *Line[W]) Join(wants W) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := waiter[W]{wants, make(chan struct{})}
	l.waiting = append(l.waiting, next)
	l.call()
	return next.begin
}

// Leave gives a place back. What the next choice looks at is changed by had.
func (l *Line[W]) Leave(had func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	had()
	if l.lent > 0 {
		l.lent--
	} else {
		l.room++
	}
	l.call()
}

// Lend lets one more begin than there are places, if one waits that may.
func (l *Line[W]) Lend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lent < l.most && l.next() {
		l.lent++
	}
}

// Awaited says whether one waits that is so.
func (l *Line[W]) Awaited(is func(W) bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.waiting, func(w waiter[W]) bool { return is(w.wants) })
}

// call lets those begin for whom there is room.
func (l *Line[W]) call() {
	for l.room > 0 && l.next() {
		l.room--
	}
}

// next lets the one begin that is chosen, if one is.
func (l *Line[W]) next() bool {
	wants := make([]W, len(l.waiting))
	for i, w := range l.waiting {
		wants[i] = w.wants
	}
	i := l.choose(wants)
	if i < 0 {
		return false
	}
	close(l.waiting[i].begin)
	l.waiting = slices.Delete(l.waiting, i, i+1)
	return true
}
