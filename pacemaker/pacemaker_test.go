package pacemaker

import (
	"context"
	"testing"

	"aorta/internal/testkit"
)

func TestChanges_WakesAndEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	changes := r.Following.Changes(ctx)

	// The watcher may not wait yet at the first notification.
	testkit.Eventually(t, "a wake-up", func() bool {
		r.announce()
		select {
		case <-changes:
			return true
		default:
			return false
		}
	})
}
