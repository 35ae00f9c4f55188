package procs

import (
	"math/rand/v2"
	"time"
)

const (
	minDelay = 100 * time.Millisecond
	maxDelay = 10 * time.Second
	// A daemon that lived this long was well: its next end starts over.
	wellAfter = 30 * time.Second
)

// backoff grows from minDelay to maxDelay by doubling, each ± 20 % so that
// daemons which died together don't come back together.
type backoff struct{ failures int }

func (b *backoff) reset() { b.failures = 0 }

func (b *backoff) next() time.Duration {
	delay := min(minDelay<<min(b.failures, 10), maxDelay)
	b.failures++
	return time.Duration(float64(delay) * (0.8 + 0.4*rand.Float64()))
}
