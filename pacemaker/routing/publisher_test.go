package routing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/internal/rig"
	"aorta/router"
)

// turn lets the publisher go round once.
func (r *fixture) turn() error { return r.publisher.turn(context.Background()) }

func wantCalls(tb testing.TB, got []string, want ...string) {
	tb.Helper()
	if !slices.Equal(got, want) {
		tb.Errorf("got calls %q, want %q", got, want)
	}
}

func TestPublisher_ReplacesFirstThenPublishesWhatChanged(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop := r.App("shop")
	r.Deploy(shop)

	testkit.Must(t, r.turn())
	wantCalls(t, r.Gate.Calls.Take(), "claim 7", "replace 1", "open run1")
	testkit.Must(t, r.turn())
	wantCalls(t, r.Gate.Calls.Take())
	for _, host := range []string{"a.example.com", "b.example.com"} {
		_, err := r.Store.AddDomain(t.Context(), shop, host, "admin")
		testkit.Must(t, err)
	}
	testkit.Must(t, r.turn())
	wantCalls(t, r.Gate.Calls.Take(), "publish +2 -0")
	testkit.Must(t, r.Store.RemoveDomain(t.Context(), shop, "a.example.com", "admin"))
	testkit.Must(t, r.turn())
	wantCalls(t, r.Gate.Calls.Take(), "publish +0 -1")

	if len(r.Table.Held) != 2 || r.publisher.Pair() != r.Table.Pair || r.Table.Pair.Epoch != rig.Epoch {
		t.Errorf("got %d hosts under %s, said %s; want 2 under this epoch", len(r.Table.Held), r.Table.Pair, r.publisher.Pair())
	}
}

func TestPublisher_ReplacesOnAnotherRunAndAfterAnError(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(*fixture){
		"another run":   func(r *fixture) { r.Gate.Run = "run2" },
		"a lost answer": func(r *fixture) { r.Table.Err = errors.New("i/o timeout"); _ = r.turn() },
		"a closed gate": func(r *fixture) {
			r.Gate.Run, r.Gate.Err = "run2", errors.New("it is another run now")
			_ = r.turn()
			r.Gate.Err = nil
		},
	} {
		r := newRig(t)
		shop := r.App("shop")
		r.Deploy(shop)
		testkit.Must(t, r.turn())
		before := r.Table.Pair
		_, err := r.Store.AddDomain(t.Context(), shop, "a.example.com", "admin")
		testkit.Must(t, err)
		fault(r)
		r.Gate.Calls.Take()

		testkit.Must(t, r.turn())

		wantCalls(t, r.Gate.Calls.Take(), "claim 7", "replace 2", "open "+r.Gate.Run)
		if !before.Less(r.Table.Pair) {
			t.Errorf("%s: got %s after %s, want it to rise", name, r.Table.Pair, before)
		}
	}
}

func TestPublisher_FencedOneEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.Table.Err = fmt.Errorf("publish routes: %w", router.ErrFenced)

	err := r.publisher.Run(t.Context())

	if !errors.Is(err, router.ErrFenced) {
		t.Errorf("got %v, want %v", err, router.ErrFenced)
	}
}

func TestPublisher_OnePublishAnswersAllWhoAsked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop := r.App("shop")
	r.Deploy(shop)
	testkit.Must(t, r.turn())
	r.Gate.Calls.Take()
	const many = 40
	for i := range many {
		_, err := r.Store.AddDomain(t.Context(), shop, fmt.Sprintf("h%d.example.com", i), "admin")
		testkit.Must(t, err)
	}
	pairs := make([]router.Pair, many)
	var group sync.WaitGroup
	for i := range many {
		group.Go(func() {
			pair, err := r.publisher.Sync(t.Context())
			if err != nil {
				t.Error(err)
			}
			pairs[i] = pair
		})
	}
	testkit.Eventually(t, "all to ask", func() bool {
		r.publisher.mu.Lock()
		defer r.publisher.mu.Unlock()
		return r.publisher.asked == many
	})
	r.Table.Err = errors.New("away")
	if err := r.turn(); err == nil {
		t.Fatal("got no error of the turn, want it to fail")
	}
	r.publisher.mu.Lock()
	answered := r.publisher.answered
	r.publisher.mu.Unlock()

	testkit.Must(t, r.turn())
	group.Wait()

	wantCalls(t, r.Gate.Calls.Take(), "publish +40 -0", "claim 7", "replace 41", "open run1")
	for _, pair := range pairs {
		if pair != r.Table.Pair {
			t.Errorf("got %s, want the pair that shows it, %s", pair, r.Table.Pair)
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

	_, err := r.publisher.Sync(ctx)

	if !errors.Is(err, gone) {
		t.Errorf("got %v, want %v", err, gone)
	}
}

func TestPublisher_RunGathersChanges(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop := r.App("shop")
	r.Deploy(shop)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.publisher.Run(ctx) }() // ended below
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() {
			if _, err := r.Store.AddDomain(t.Context(), shop, fmt.Sprintf("h%d.example.com", i), "admin"); err != nil {
				t.Error(err)
			}
			if _, err := r.publisher.Sync(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	stop()
	testkit.Must(t, <-done)

	got := r.Gate.Calls.Take()
	if len(r.Table.Held) != 51 || len(got) > 40 {
		t.Errorf("got %d hosts in %d calls, want 51 in far fewer than one call each", len(r.Table.Held), len(got))
	}
}
