package redisq

import (
	"container/heap"
	"time"
)

// agenda knows what is due when, by job id.
type agenda struct {
	due   map[string]time.Time
	order appointments // may hold what was moved or dropped since
}

type appointment struct {
	at time.Time
	id string
}

func newAgenda() *agenda { return &agenda{due: map[string]time.Time{}} }

func (a *agenda) clear() {
	clear(a.due)
	a.order = nil
}

func (a *agenda) put(id string, at time.Time) {
	if held, ok := a.due[id]; ok && held.Equal(at) {
		return
	}
	a.due[id] = at
	heap.Push(&a.order, appointment{at: at, id: id})
}

func (a *agenda) drop(id string) { delete(a.due, id) }

// next is when the first is due; false: nothing is on the agenda.
func (a *agenda) next() (time.Time, bool) {
	for len(a.order) > 0 {
		first := a.order[0]
		if at, ok := a.due[first.id]; ok && at.Equal(first.at) {
			return first.at, true
		}
		heap.Pop(&a.order)
	}
	return time.Time{}, false
}

// popDue removes and names what is due by now, the earliest first.
func (a *agenda) popDue(now time.Time) []string {
	var out []string
	for {
		at, ok := a.next()
		if !ok || at.After(now) {
			return out
		}
		id := heap.Pop(&a.order).(appointment).id
		delete(a.due, id)
		out = append(out, id)
	}
}

// appointments is a heap by time.
type appointments []appointment

func (a appointments) Len() int           { return len(a) }
func (a appointments) Less(i, j int) bool { return a[i].at.Before(a[j].at) }
func (a appointments) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *appointments) Push(x any)        { *a = append(*a, x.(appointment)) }
func (a *appointments) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}
