// Package quota bounds how many of something are held at a time, in all and by one
// holder, so that a holder who takes all that it gets leaves some to the others.
package quota

import (
	"maps"
	"sync"
)

// Quota counts what is held. Make it with New.
type Quota struct {
	All, Each int // the most in all, and of one holder

	mu   sync.Mutex // guards held
	held map[string]int
}

// New makes one of which nothing is held.
func New(all, each int) *Quota {
	return &Quota{All: all, Each: each, held: map[string]int{}}
}

// Take takes one for a holder; ok is false when there is none for it. Call leave when
// done; more than once does no harm.
func (q *Quota) Take(holder string) (leave func(), ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	sum := 0
	for _, n := range q.held {
		sum += n
	}
	if sum >= q.All || q.held[holder] >= q.Each {
		return nil, false
	}
	q.held[holder]++
	return sync.OnceFunc(func() { q.leave(holder) }), true
}

func (q *Quota) leave(holder string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.held[holder]--; q.held[holder] == 0 {
		delete(q.held, holder)
	}
}

// Held is how many each holder has.
func (q *Quota) Held() map[string]int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return maps.Clone(q.held)
}
