package api

import (
	"context"
	"errors"
	"sync"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// guardEvery is how often it is looked whether who follows a stream still may.
const guardEvery = 2 * time.Second

// seenLimit ends the writing down of a session's use, which no request waits for.
const seenLimit = 10 * time.Second

// errMayNot ends the requests of somebody whose role was taken.
var errMayNot = errors.New("the role does not allow this any more")

// guard ends a request that lasts when whoever asked may not ask any more.
type guard struct {
	identify identify
	need     policy
	end      context.CancelCauseFunc // of the request
}

// watch blocks until ctx, the request's, ends; it may end it itself.
func (g *guard) watch(ctx context.Context) {
	tick := time.NewTicker(guardEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := g.check(ctx); err != nil {
			g.end(err)
			return
		}
	}
}

// check gives why the request must end. A database that does not answer is no
// reason.
func (g *guard) check(ctx context.Context) error {
	user, _, err := g.identify(ctx)
	switch {
	case cluster.CodeOf(err) == cluster.CodeForbidden:
		return err
	case err == nil && rank[user.Role] < rank[string(g.need)]:
		return errMayNot
	}
	return nil
}

// sightings say which sessions are due to be written down as used.
type sightings struct {
	mu   sync.Mutex // guards last
	last map[cluster.ID]time.Time
}

func newSightings() *sightings { return &sightings{last: map[cluster.ID]time.Time{}} }

// due takes a session's turn if its last one is long enough ago.
func (s *sightings) due(id cluster.ID, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last, known := s.last[id]; known && now.Sub(last) < store.SessionSeen {
		return false
	}
	for other, last := range s.last {
		if now.Sub(last) >= store.SessionSeen {
			delete(s.last, other)
		}
	}
	s.last[id] = now
	return true
}

// saw writes down that a session is in use. Nothing waits for it: reading goes
// on while the database takes no writes.
func (a *API) saw(ctx context.Context, s store.Session) {
	now := time.Now()
	if now.Sub(s.SeenAt) < store.SessionSeen || !a.sightings.due(s.ID, now) {
		return
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), seenLimit)
	go func() { // ends within seenLimit
		defer cancel()
		if err := a.store.SawSession(bounded, s.ID); err != nil {
			a.Log.WarnContext(ctx, "the use of a session could not be recorded; it may end early", "session", s.ID, "err", err)
		}
	}()
}
