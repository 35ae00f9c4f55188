package following_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/following"
)

// seen is what a follower got of one operation: whose end it waits for.
type seen struct {
	waits chan cluster.ID
	done  chan error
}

func (r *fixture) follow(op cluster.Operation) seen {
	r.TB.Helper()
	s := seen{make(chan cluster.ID, 10), make(chan error, 1)}
	go func() { // ends with the operation
		s.done <- r.following.Follow(r.TB.Context(), op.ID, following.Position{}, func(u following.Update) error {
			if u.Waits != nil {
				s.waits <- u.Waits.ID
			}
			return nil
		})
	}()
	return s
}

func (s seen) next(tb testing.TB) cluster.ID {
	tb.Helper()
	return testkit.Receive(tb, "somebody to hear of a wait", s.waits)
}

func TestFollow_NamesWhoIsFirst(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	r.Deploy(app)
	first := r.BeginDeploy(app, "img:1")
	second := r.BeginDeploy(app, "img:2")
	third := r.BeginDeploy(app, "img:3")
	r.plant(first)
	one, two, three := r.follow(first), r.follow(second), r.follow(third)

	atFirst := []cluster.ID{two.next(t), three.next(t)}
	r.Fail(first.ID, "no image")
	r.plant(second)
	then := three.next(t)
	r.End(second.ID)
	r.plant(third)
	r.End(third.ID)
	r.written.Notify()

	if !slices.Equal(atFirst, []cluster.ID{first.ID, first.ID}) || then != second.ID {
		t.Errorf("got waits for %v, then %s; want %s, then %s", atFirst, then, first.ID, second.ID)
	}
	for _, s := range []seen{one, two, three} {
		if err := <-s.done; err != nil || len(s.waits) != 0 {
			t.Errorf("got %v and %d more waits, want the end", err, len(s.waits))
		}
	}
}

func TestFollow_ShowsThatItIsThereWhileItWaits(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	r.BeginDeploy(app, "img:1")
	behind := r.BeginDeploy(app, "img:2")
	ctx, leave := context.WithCancel(testkit.Bounded(t))
	defer leave()
	beats := 0

	err := r.following.Follow(ctx, behind.ID, following.Position{}, func(u following.Update) error {
		if u.Job != nil {
			r.Clock.Forward(15 * time.Second)
			return nil
		}
		beats++
		leave()
		return nil
	})

	if beats != 1 || !errors.Is(err, context.Canceled) {
		t.Errorf("got %d signs of life, %v; want one after a while of silence", beats, err)
	}
}
