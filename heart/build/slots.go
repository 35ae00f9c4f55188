package build

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"aorta/internal/broadcast"
	"aorta/pacemaker/cluster"
)

// A builder has so many builds run at a time, and takes so many more that wait:
// only among those that it knows can it choose.
const (
	Slots   = 2
	Waiting = 14
)

// sayAgain is how often a build that waits says how long the others have run.
const sayAgain = 30 * time.Second

// slots lets builds run in the order in which they come, one of an app at a time.
// So an app whose builds never end has one slot, and two operations that miss the
// same image make it once.
type slots struct {
	changed *broadcast.Signal

	mu      sync.Mutex // guards both, and what is in them
	running []*seat    // the longest first
	waiting []*seat    // likewise
}

// seat is a build in its turn or before it.
type seat struct {
	app   cluster.ID
	name  string    // of the app
	since time.Time // when its turn came; zero before
}

func newSlots() *slots { return &slots{changed: broadcast.New()} }

// take waits for the build's turn and says meanwhile what for. Call leave when
// done.
func (s *slots) take(ctx context.Context, spec cluster.BuildSpec, tell teller) (leave func(), err error) {
	mine := s.enter(spec)
	again := time.NewTicker(sayAgain)
	defer again.Stop()
	said := ""
	for {
		changed := s.changed.C()
		reason, names := s.reason(mine, time.Now())
		if reason == "" {
			return func() { s.leave(mine) }, nil
		}
		tell.Progress(0, 1, reason)
		if names != said {
			tell.Log(reason)
			said = names
		}
		select {
		case <-ctx.Done():
			s.leave(mine)
			return nil, context.Cause(ctx)
		case <-changed:
		case <-again.C:
		}
	}
}

func (s *slots) enter(spec cluster.BuildSpec) *seat {
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := &seat{app: spec.AppID, name: spec.App}
	s.waiting = append(s.waiting, mine)
	s.fill()
	return mine
}

// leave gives up a seat, whether its turn had come or not.
func (s *slots) leave(mine *seat) {
	s.mu.Lock()
	defer s.mu.Unlock()
	isMine := func(other *seat) bool { return other == mine }
	s.running = slices.DeleteFunc(s.running, isMine)
	s.waiting = slices.DeleteFunc(s.waiting, isMine)
	s.fill()
}

// fill begins what may run. The caller holds the lock.
func (s *slots) fill() {
	s.waiting = slices.DeleteFunc(s.waiting, func(w *seat) bool {
		if len(s.running) == Slots || s.runs(w.app) != nil {
			return false
		}
		w.since = time.Now()
		s.running = append(s.running, w)
		return true
	})
	s.changed.Notify()
}

// runs finds the app's build that runs.
func (s *slots) runs(app cluster.ID) *seat {
	for _, r := range s.running {
		if r.app == app {
			return r
		}
	}
	return nil
}

// reason says what a build waits for, and whom that names: nothing in its turn.
func (s *slots) reason(mine *seat, now time.Time) (reason, names string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !mine.since.IsZero() {
		return "", ""
	}
	if own := s.runs(mine.app); own != nil {
		return fmt.Sprintf("waiting for another build of %s to end (%s)", own.name, lasted(own, now)), own.name
	}
	var each, all []string
	for _, r := range s.running {
		each = append(each, fmt.Sprintf("%s (%s)", r.name, lasted(r, now)))
		all = append(all, r.name)
	}
	return "waiting for a build slot: " + strings.Join(each, ", "), strings.Join(all, ", ")
}

// lasted says for how long a build has run.
func lasted(r *seat, now time.Time) string {
	if d := now.Sub(r.since); d >= time.Minute {
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
	return fmt.Sprintf("%d s", int(now.Sub(r.since).Seconds()))
}
