package redisq

import (
	"slices"
	"sync"

	"aorta/internal/broadcast"
	"aorta/jobs"
)

// locations know where each open job and each queue is, for the callers and the
// reader, who must not touch the loop's own state.
type locations struct {
	grown *broadcast.Signal // there is another queue

	mu     sync.RWMutex // guards all below
	jobs   map[string]location
	queues map[jobs.Queue]bool
}

type location struct {
	tree  string
	queue jobs.Queue
}

func newLocations() *locations {
	return &locations{jobs: map[string]location{}, queues: map[jobs.Queue]bool{}, grown: broadcast.New()}
}

func (l *locations) put(j *jobs.Job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.jobs[j.ID] = location{tree: j.Tree, queue: j.Queue}
}

func (l *locations) drop(t *jobs.Tree) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range t.Jobs {
		delete(l.jobs, id)
	}
}

func (l *locations) find(id string) (location, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	at, ok := l.jobs[id]
	return at, ok
}

func (l *locations) addQueue(q jobs.Queue) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queues[q] = true
	l.grown.Notify()
}

func (l *locations) hasQueue(q jobs.Queue) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.queues[q]
}

func (l *locations) allQueues() []jobs.Queue {
	l.mu.RLock()
	defer l.mu.RUnlock()
	out := make([]jobs.Queue, 0, len(l.queues))
	for q := range l.queues {
		out = append(out, q)
	}
	slices.SortFunc(out, func(a, b jobs.Queue) int {
		if a.Owner < b.Owner {
			return -1
		}
		return 1
	})
	return out
}
