package stats

import (
	"context"
	"errors"
	"testing"
	"time"

	"aorta/internal/testkit"
)

func TestStore_DurableMeansThatAKilledServerKeepsIt(t *testing.T) {
	for name, extra := range map[string][]string{
		"aof": {"--appendonly", "yes", "--appendfsync", "no"}, "rdb": nil,
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, extra...)
			r.commit(router1, hit(time.Now()))

			mark, err := r.store.Durable(t.Context())
			if err != nil {
				t.Fatalf("durable: got %v, want none", err)
			}
			r.await(mark)
			r.server.Kill()
			r.server.Start(t)

			total, err := r.store.Totals(t.Context(), appA)
			positions, _ := r.store.Positions(t.Context(), router1)
			if err != nil || total.Requests != 1 || !positions[ShardOf(appA)].Equal(Position{"log": 1}) {
				t.Errorf("got %d requests %v at %v, want 1 at its position", total.Requests, err, positions[ShardOf(appA)])
			}
		})
	}
}

func TestStore_DurableIsNotFooledByAnEarlierSave(t *testing.T) {
	r := newRig(t)
	r.commit(router1, hit(time.Now()))
	first, _ := r.store.Durable(t.Context())
	r.await(first)
	r.commit(router1, hit(time.Now()))

	second, err := r.store.Durable(t.Context())
	if err != nil {
		t.Fatalf("durable: got %v, want none", err)
	}
	if done, err := second(t.Context()); done || err != nil {
		t.Errorf("got %v %v at once, want false: the last save is older than the commit", done, err)
	}
	r.await(second)
}

func TestStore_DurableNoticesARestart(t *testing.T) {
	r := newRig(t)
	mark, err := r.store.Durable(t.Context())
	if err != nil {
		t.Fatalf("durable: got %v, want none", err)
	}

	r.server.Kill()
	r.server.Start(t)

	if done, err := mark(t.Context()); done || !errors.Is(err, ErrRestarted) {
		t.Errorf("got %v %v, want ErrRestarted", done, err)
	}
}

// A server that loses its last moments loses counters and position together.
func TestStore_CountersAndPositionAreLostTogether(t *testing.T) {
	r := newRig(t)
	r.commit(router1, hit(time.Now()))
	mark, _ := r.store.Durable(t.Context())
	r.await(mark)
	r.commit(router1, hit(time.Now()), hit(time.Now()))

	r.server.Kill()
	r.server.Start(t)

	b := NewBatch()
	h := hit(time.Now())
	b.Add(&h)
	err := r.store.Commit(t.Context(), ShardOf(appA), router1, Position{"log": 2}, Position{"log": 3}, b)
	total, _ := r.store.Totals(t.Context(), appA)
	if !errors.Is(err, ErrMoved) || total.Requests != 1 {
		t.Errorf("got %v and %d requests, want ErrMoved and 1", err, total.Requests)
	}
}

func (r *rig) await(mark func(context.Context) (bool, error)) {
	r.Helper()
	testkit.Eventually(r, "the save", func() bool {
		done, err := mark(r.Context())
		if err != nil {
			r.Fatalf("mark: got %v, want none", err)
		}
		return done
	})
}
