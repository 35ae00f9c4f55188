package gitrepo

import (
	"context"
	"sync"
)

// pushes knows, for each repository, how many pushes are under way and the
// pruning that must end for the next one. Objects that a push brings are not
// referred to until it is over, so the two exclude each other; a push never
// waits for a pruning to run its course. One process serves a repository.
var pushes = &exclusion{repos: map[string]*activity{}}

type exclusion struct {
	mu    sync.Mutex // guards repos and what is in them
	repos map[string]*activity
}

// activity is what goes on in one repository.
type activity struct {
	pushes int
	cancel context.CancelFunc // of the pruning; nil: none
	ended  chan struct{}      // closed when the pruning has ended
}

// begin counts a push in, once a pruning has been cancelled and has ended. The
// caller calls end.
func (e *exclusion) begin(dir string) (end func()) {
	e.mu.Lock()
	a := e.repos[dir]
	if a == nil {
		a = &activity{}
		e.repos[dir] = a
	}
	a.pushes++
	ended := a.ended
	if a.cancel != nil {
		a.cancel()
	}
	e.mu.Unlock()
	if ended != nil {
		<-ended
	}
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		a.pushes--
		e.drop(dir, a)
	}
}

// prune runs do unless a push or another pruning is under way, and says whether
// it ran. The next push cancels the context of do.
func (e *exclusion) prune(ctx context.Context, dir string, do func(ctx context.Context) error) (bool, error) {
	e.mu.Lock()
	if e.repos[dir] != nil {
		e.mu.Unlock()
		return false, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a := &activity{cancel: cancel, ended: make(chan struct{})}
	e.repos[dir] = a
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		close(a.ended)
		a.cancel, a.ended = nil, nil
		e.drop(dir, a)
	}()
	return true, do(ctx)
}

// drop forgets a repository in which nothing goes on; e.mu is held.
func (e *exclusion) drop(dir string, a *activity) {
	if a.pushes == 0 && a.cancel == nil {
		delete(e.repos, dir)
	}
}
