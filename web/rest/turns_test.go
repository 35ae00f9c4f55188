package rest

import (
	"context"
	"errors"
	"testing"
	"time"

	"aorta/internal/testkit"
)

func TestIdempotencyKey_OneThatWaitsMayLeave(t *testing.T) {
	turns := &turns{taken: map[string]*turn{}}
	release, err := turns.take(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	_, waited := turns.take(testkit.EndedBy(t, 10*time.Millisecond), "k")
	_, other := turns.take(t.Context(), "l")
	release()
	again, err := turns.take(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	again()

	if !errors.Is(waited, context.DeadlineExceeded) || other != nil {
		t.Errorf("got %v and %v, want the wait cut short and no wait for another name", waited, other)
	}
	if len(turns.taken) != 1 {
		t.Errorf("got %d names kept, want the one that is still taken", len(turns.taken))
	}
}
