// Package pause waits in a way that an end of the context cuts short. It is the
// only waiting by time that loops need; what can be waited for by its condition
// should be.
package pause

import (
	"context"
	"time"
)

// For waits for d, and reports false when ctx ended first.
func For(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
