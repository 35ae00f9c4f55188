package pacemaker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
	"aorta/router"
)

// turn lets the publisher go round once.
func (r *rig) turn() error { return r.publish.turn(context.Background()) }

func wantCalls(tb testing.TB, got []string, want ...string) {
	tb.Helper()
	if !slices.Equal(got, want) {
		tb.Errorf("got calls %q, want %q", got, want)
	}
}

func TestPublisher_ReplacesFirstThenPublishesWhatChanged(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop := r.newApp("shop")
	r.deploy(shop)

	must(t, r.turn())
	wantCalls(t, r.gate.calls.take(), "claim 7", "replace 1", "open run1")
	must(t, r.turn())
	wantCalls(t, r.gate.calls.take())
	for _, host := range []string{"a.example.com", "b.example.com"} {
		_, err := r.store.AddDomain(t.Context(), shop, host, "admin")
		must(t, err)
	}
	must(t, r.turn())
	wantCalls(t, r.gate.calls.take(), "publish +2 -0")
	must(t, r.store.RemoveDomain(t.Context(), shop, "a.example.com", "admin"))
	must(t, r.turn())
	wantCalls(t, r.gate.calls.take(), "publish +0 -1")

	if len(r.table.held) != 2 || r.publish.Pair() != r.table.pair || r.table.pair.Epoch != testEpoch {
		t.Errorf("got %d hosts under %s, said %s; want 2 under this epoch", len(r.table.held), r.table.pair, r.publish.Pair())
	}
}

func TestPublisher_ReplacesOnAnotherRunAndAfterAnError(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(*rig){
		"another run":   func(r *rig) { r.gate.run = "run2" },
		"a lost answer": func(r *rig) { r.table.err = errors.New("i/o timeout"); _ = r.turn() },
		"a closed gate": func(r *rig) {
			r.gate.run, r.gate.err = "run2", errors.New("it is another run now")
			_ = r.turn()
			r.gate.err = nil
		},
	} {
		r := newRig(t)
		shop := r.newApp("shop")
		r.deploy(shop)
		must(t, r.turn())
		before := r.table.pair
		_, err := r.store.AddDomain(t.Context(), shop, "a.example.com", "admin")
		must(t, err)
		fault(r)
		r.gate.calls.take()

		must(t, r.turn())

		wantCalls(t, r.gate.calls.take(), "claim 7", "replace 2", "open "+r.gate.run)
		if !before.Less(r.table.pair) {
			t.Errorf("%s: got %s after %s, want it to rise", name, r.table.pair, before)
		}
	}
}

func TestPublisher_FencedOneEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.table.err = fmt.Errorf("publish routes: %w", router.ErrFenced)

	err := r.publish.Run(t.Context())

	if !errors.Is(err, router.ErrFenced) {
		t.Errorf("got %v, want %v", err, router.ErrFenced)
	}
}

func TestPublisher_OnePublishAnswersAllWhoAsked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop := r.newApp("shop")
	r.deploy(shop)
	must(t, r.turn())
	r.gate.calls.take()
	const many = 40
	for i := range many {
		_, err := r.store.AddDomain(t.Context(), shop, fmt.Sprintf("h%d.example.com", i), "admin")
		must(t, err)
	}
	pairs := make([]router.Pair, many)
	var group sync.WaitGroup
	for i := range many {
		group.Go(func() {
			pair, err := r.publish.Sync(t.Context())
			if err != nil {
				t.Error(err)
			}
			pairs[i] = pair
		})
	}
	testkit.Eventually(t, 5*time.Second, "all to ask", func() bool {
		r.publish.mu.Lock()
		defer r.publish.mu.Unlock()
		return r.publish.asked == many
	})
	r.table.err = errors.New("away")
	if err := r.turn(); err == nil {
		t.Fatal("got no error of the turn, want it to fail")
	}
	r.publish.mu.Lock()
	answered := r.publish.answered
	r.publish.mu.Unlock()

	must(t, r.turn())
	group.Wait()

	wantCalls(t, r.gate.calls.take(), "publish +40 -0", "claim 7", "replace 41", "open run1")
	for _, pair := range pairs {
		if pair != r.table.pair {
			t.Errorf("got %s, want the pair that shows it, %s", pair, r.table.pair)
		}
	}
	if answered != 0 {
		t.Errorf("got %d answered by a failed publish, want none", answered)
	}
}

func TestPublisher_SyncEndsWithItsContext(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone")
	cancel(gone)

	_, err := r.publish.Sync(ctx)

	if !errors.Is(err, gone) {
		t.Errorf("got %v, want %v", err, gone)
	}
}

func TestPublisher_RunGathersChanges(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop := r.newApp("shop")
	r.deploy(shop)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.publish.Run(ctx) }() // ended below
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() {
			if _, err := r.AddDomain(t.Context(), shop, fmt.Sprintf("h%d.example.com", i), "admin"); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	stop()
	must(t, <-done)

	got := r.gate.calls.take()
	if len(r.table.held) != 51 || len(got) > 40 {
		t.Errorf("got %d hosts in %d calls, want 51 in far fewer than one call each", len(r.table.held), len(got))
	}
}

// ack lets a router answer by the pair that is published.
func (r *rig) ack(n cluster.Node) {
	r.tb.Helper()
	pair := r.publish.Pair()
	must(r.tb, r.RouterReported(n, cluster.RouterReport{Epoch: pair.Epoch, Generation: pair.Generation}))
}

func TestRouted_HoldsUntilEveryRouterHasSeenItGo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop := r.newApp("shop")
	release := r.deploy(shop)
	one, two := r.newNode("n1", cluster.RoleHeart, cluster.RoleRouter), r.newNode("n2", cluster.RoleRouter)
	nodes := []cluster.Node{one, two}
	id, stranger := r.instance(release, "web", one), cluster.NewID()
	say := func(step string, want, wantStranger bool) {
		t.Helper()
		if got, other := r.publish.Routed(id, nodes), r.publish.Routed(stranger, nodes); got != want || other != wantStranger {
			t.Errorf("%s: got routed %t, a stranger %t; want %t, %t", step, got, other, want, wantStranger)
		}
	}

	say("at first nothing is known", true, true)
	must(t, r.turn())
	say("published, not acked", true, true)
	r.ack(one)
	say("one of two acked", true, true)
	r.ack(two)
	say("all acked", true, false)
	must(t, r.store.Promote(t.Context(), store.Promotion{App: shop.ID, Drain: []cluster.ID{id}}))
	say("drains, still published", true, false)
	must(t, r.turn())
	say("taken out, not acked", true, false)
	r.ack(one)
	say("one of two has seen it", true, false)
	r.ack(two)
	say("all have seen it", false, false)
}

func TestRouted_AFailedPublishMayHaveArrived(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop := r.newApp("shop")
	release := r.deploy(shop)
	n := r.newNode("n1", cluster.RoleHeart, cluster.RoleRouter)
	must(t, r.turn())
	r.ack(n)
	id := r.instance(release, "web", n)
	before := r.publish.Routed(id, []cluster.Node{n})
	r.table.err = errors.New("i/o timeout")
	_ = r.turn()

	got := r.publish.Routed(id, []cluster.Node{n})

	if before || !got {
		t.Errorf("got routed %t before and %t after the lost answer, want false, then true", before, got)
	}
}

func TestRouted_ASilentRouterHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	release := r.deploy(r.newApp("shop"))
	n := r.newNode("n1", cluster.RoleHeart, cluster.RoleRouter)
	id := r.instance(release, "web", n)
	must(t, r.turn())
	must(t, r.store.Promote(t.Context(), store.Promotion{App: release.AppID, Drain: []cluster.ID{id}}))
	must(t, r.turn())
	early := r.publish.Routed(id, []cluster.Node{n})

	r.clock.forward(5 * time.Second)

	if late := r.publish.Routed(id, []cluster.Node{n}); !early || late {
		t.Errorf("got routed %t, and %t once the router was silent for its limit; want true, then false", early, late)
	}
}
