package redisq

import (
	"slices"
	"sync"

	"aorta/jobs"
)

// places knows where each open job and each queue is, for the callers and the
// reader, who must not touch the loop's own state.
type places struct {
	mu     sync.RWMutex // guards all below
	jobs   map[string]place
	queues map[jobs.Queue]bool
	news   chan struct{} // closed by the next change of queues
}

type place struct {
	tree  string
	queue jobs.Queue
}

func newPlaces() *places {
	return &places{jobs: map[string]place{}, queues: map[jobs.Queue]bool{}, news: make(chan struct{})}
}

func (p *places) put(j *jobs.Job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.jobs[j.ID] = place{tree: j.Tree, queue: j.Queue}
}

func (p *places) drop(t *jobs.Tree) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id := range t.Jobs {
		delete(p.jobs, id)
	}
}

func (p *places) find(id string) (place, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	at, ok := p.jobs[id]
	return at, ok
}

func (p *places) addQueue(q jobs.Queue) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queues[q] = true
	p.tell()
}

func (p *places) dropQueue(q jobs.Queue) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.queues, q)
	p.tell()
}

// changed is closed when a queue comes or goes.
func (p *places) changed() <-chan struct{} {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.news
}

func (p *places) tell() {
	close(p.news)
	p.news = make(chan struct{})
}

func (p *places) hasQueue(q jobs.Queue) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.queues[q]
}

func (p *places) allQueues() []jobs.Queue {
	p.mu.RLock()
	defer p.mu.RUnlock()
	out := make([]jobs.Queue, 0, len(p.queues))
	for q := range p.queues {
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
