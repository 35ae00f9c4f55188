// Package backoff spaces attempts at something that keeps failing: each pause is
// twice the one before, up to a limit, and spread so that those who failed
// together don't come back together. Pauses that are kept on disk are not its
// business.
package backoff

import (
	"context"
	"math/rand/v2"
	"time"

	"aorta/internal/pause"
)

// Backoff is one series of attempts. It is not for several goroutines.
type Backoff struct {
	first, limit time.Duration
	failures     int
}

// New makes a series whose pauses grow from first to limit, each ± 20 %.
func New(first, limit time.Duration) *Backoff { return &Backoff{first: first, limit: limit} }

// Next is the pause after one more failure.
func (b *Backoff) Next() time.Duration {
	d := After(b.failures, b.first, b.limit)
	b.failures++
	return d
}

// Pause waits for Next, and reports false when ctx ended first.
func (b *Backoff) Pause(ctx context.Context) bool { return pause.For(ctx, b.Next()) }

// Reset begins the series anew, after a success.
func (b *Backoff) Reset() { b.failures = 0 }

// After is the pause after a number of earlier failures, for those who count
// themselves.
func After(failures int, first, limit time.Duration) time.Duration {
	d := first
	for ; failures > 0 && d < limit; failures-- {
		d *= 2
	}
	return time.Duration(float64(min(d, limit)) * (0.8 + 0.4*rand.Float64()))
}
