// Package broadcast wakes everybody who waits for a change. A signal carries
// nothing: whoever is woken reads anew what matters, so that two changes may
// share one wake-up. It is not a queue, and it forgets a notification that
// no one waits for.
package broadcast

import (
	"context"
	"sync"
	"time"
)

// askAgain is how long Until trusts that no notification was forgotten: what it
// waits for may also change without one.
const askAgain = time.Second

// Signal is one thing to wait for. Make it with New.
type Signal struct {
	mu sync.Mutex    // guards ch
	ch chan struct{} // closed by the next Notify
}

// New makes a signal.
func New() *Signal { return &Signal{ch: make(chan struct{})} }

// Notify wakes everybody who waits now.
func (s *Signal) Notify() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.ch)
	s.ch = make(chan struct{})
}

// C is closed by the next Notify. Take it before reading what the signal is
// about, so that a change in between is not missed.
func (s *Signal) C() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ch
}

// Until asks cond at once, after each notification and each second, and returns
// nil once it holds. An error of cond, or the context's cause, ends it earlier.
func (s *Signal) Until(ctx context.Context, cond func() (bool, error)) error {
	tick := time.NewTicker(askAgain)
	defer tick.Stop()
	for {
		changed := s.C()
		done, err := cond()
		if err != nil || done {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-changed:
		case <-tick.C:
		}
	}
}
