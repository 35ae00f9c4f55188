package pacemaker

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

func TestRoots_TellWhatIsToBeKnown(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.newApp("shop")
	old, err := r.DeployImage(t.Context(), app, "img:1", "", "ann")
	must(t, err)
	old = r.finish(old, jobs.Failed)

	before, err := r.Roots(t.Context(), old)
	must(t, err)
	again, err := r.Retry(t.Context(), old, "bob")
	must(t, err)
	behind, err := r.DeployImage(t.Context(), app, "img:2", "", "cy")
	must(t, err)
	r.round()
	after, err := r.Roots(t.Context(), r.reread(behind), r.reread(again), old)
	must(t, err)

	if b := before[0]; !b.Attention || b.App != "shop" || b.JobState != jobs.Failed || !strings.HasPrefix(b.Error, "its worker died 3 times") {
		t.Errorf("got %+v, want it to need attention, with its cause", b)
	}
	if w := after[0].WaitsFor; w == nil || w.ID != again.ID || w.User != "bob" {
		t.Errorf("got it waiting for %+v, want for the retry", w)
	}
	if after[1].RetryOf != old.ID || after[1].WaitsFor != nil || after[2].Attention {
		t.Errorf("got %+v and %+v, want a retry that waits for nobody, and the old one at peace", after[1], after[2])
	}
}

func (r *rig) reread(op cluster.Operation) cluster.Operation {
	r.tb.Helper()
	op, err := r.store.Operation(r.tb.Context(), op.ID)
	must(r.tb, err)
	return op
}

// seen is what followers were told of one operation: whose end it waits for.
type seen struct {
	waits chan cluster.ID
	done  chan error
}

func (r *rig) follow(op cluster.Operation) seen {
	r.tb.Helper()
	s := seen{make(chan cluster.ID, 10), make(chan error, 1)}
	go func() { // ends with the operation
		s.done <- r.Follow(r.tb.Context(), op.ID, Mark{}, func(u Update) error {
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
	select {
	case id := <-s.waits:
		return id
	case <-time.After(10 * time.Second):
		tb.Fatal("nobody was told of a wait")
		return ""
	}
}

func TestFollow_NamesWhoIsFirst(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.newApp("shop")
	r.deploy(app)
	first, err := r.DeployImage(t.Context(), app, "img:1", "", "ann")
	must(t, err)
	second, err := r.DeployImage(t.Context(), app, "img:2", "", "bob")
	must(t, err)
	three := 3
	third, err := r.ChangeFormation(t.Context(), app, map[string]ProcessChange{"web": {Quantity: &three}}, "cy")
	must(t, err)
	r.round()
	one, two, scale := r.follow(first), r.follow(second), r.follow(third)

	atFirst := []cluster.ID{two.next(t), scale.next(t)}
	r.finish(first, jobs.Failed)
	r.round()
	then := scale.next(t)
	r.finish(second, jobs.Succeeded)
	r.round()
	r.finish(third, jobs.Succeeded)

	if !slices.Equal(atFirst, []cluster.ID{first.ID, first.ID}) || then != second.ID {
		t.Errorf("got waits for %v, then %s; want %s, then %s", atFirst, then, first.ID, second.ID)
	}
	for _, s := range []seen{one, two, scale} {
		if err := <-s.done; err != nil || len(s.waits) != 0 {
			t.Errorf("got %v and %d more waits told, want the end", err, len(s.waits))
		}
	}
}

func TestFollow_SpeaksWhileItWaits(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.newApp("shop")
	_, err := r.DeployImage(t.Context(), app, "img:1", "", "ann")
	must(t, err)
	behind, err := r.DeployImage(t.Context(), app, "img:2", "", "bob")
	must(t, err)
	ctx, leave := context.WithTimeout(t.Context(), 10*time.Second)
	defer leave()
	beats := 0

	err = r.Follow(ctx, behind.ID, Mark{}, func(u Update) error {
		if u.Job != nil {
			r.clock.forward(quietFor)
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

// A jobs Redis that hangs takes seconds for each question.
func TestRoots_AskARedisThatIsAwayOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first, err := r.DeployImage(t.Context(), r.newApp("shop"), "img:1", "", "ann")
	must(t, err)
	second, err := r.DeployImage(t.Context(), r.newApp("blog"), "img:1", "", "ann")
	must(t, err)
	before := r.trees.asked
	r.trees.err = errors.New("i/o timeout")

	roots, err := r.Roots(t.Context(), r.reread(first), r.reread(second))

	must(t, err)
	if n := r.trees.asked - before; n != 1 || roots[0].JobState != jobs.Waiting || roots[1].JobState != jobs.Waiting {
		t.Errorf("got %d questions and %s, %s; want one, and both waiting", n, roots[0].JobState, roots[1].JobState)
	}
}
