package auth

import (
	"context"
	"testing"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
	"aorta/web/access"
)

func TestUses_TakeATurnAMinute(t *testing.T) {
	s, now := newUses(), time.Unix(1_000_000, 0)

	first, other := s.due("a", now), s.due("b", now)
	early := s.due("a", now.Add(store.SessionSeen-1))
	late := s.due("a", now.Add(store.SessionSeen))

	if !first || !other || early || !late {
		t.Errorf("got %t, of another %t, within the minute %t, after it %t; want true, true, false, true", first, other, early, late)
	}
	if len(s.last) != 1 {
		t.Errorf("got %d remembered, want the recent one alone", len(s.last))
	}
}

func TestGuard_EndsWhoLostTheRole(t *testing.T) {
	user, err := store.User{Role: "admin"}, error(nil)
	ctx, end := context.WithCancelCause(t.Context())
	defer end(nil)
	g := &guard{need: access.Developer, subject: access.Subject{Kind: access.OnApp}, end: end, identify: func(context.Context) (store.User, store.Session, error) { return user, store.Session{}, err }}

	fine := g.check(ctx)
	err = cluster.Unavailable("the database is busy")
	busy := g.check(ctx)
	user, err = store.User{Role: "viewer"}, nil
	lost := g.check(ctx)

	if fine != nil || busy != nil || lost == nil {
		t.Errorf("got %v, %v with a busy database, %v without the role; want it ended by the last alone", fine, busy, lost)
	}
}
