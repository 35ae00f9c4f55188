package auth

import (
	"context"
	"errors"
	"sync"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
	"aorta/web/access"
)

// guardEvery is how often it is looked whether the reader of a stream still may read it.
const guardEvery = 2 * time.Second

// useLimit ends the recording of a session's use, which no request waits for.
const useLimit = 10 * time.Second

// errMayNot ends the requests of somebody whose role was taken.
var errMayNot = errors.New("the role does not allow this any more")

// guard ends a long request when its user may not make it any more.
type guard struct {
	identify identify
	need     access.Role
	subject  access.Subject
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
	case err == nil && !access.Allowed(userOf(user), g.need, g.subject):
		return errMayNot
	}
	return nil
}

// uses say which sessions are due to be recorded as used.
type uses struct {
	mu   sync.Mutex // guards last
	last map[cluster.ID]time.Time
}

func newUses() *uses { return &uses{last: map[cluster.ID]time.Time{}} }

// due tells whether a session's last record is long enough ago, and counts this
// one as made.
func (s *uses) due(id cluster.ID, now time.Time) bool {
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

// recordUse records that a session is in use. Nothing waits for it: reading goes
// on while the database takes no writes.
func (g *Gate) recordUse(ctx context.Context, s store.Session) {
	now := time.Now()
	if now.Sub(s.SeenAt) < store.SessionSeen || !g.uses.due(s.ID, now) {
		return
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), useLimit)
	go func() { // ends within useLimit
		defer cancel()
		if err := g.store.TouchSession(bounded, s.ID); err != nil {
			g.log.WarnContext(ctx, "the use of a session could not be recorded; it may end early", "session", s.ID, "err", err)
		}
	}()
}
