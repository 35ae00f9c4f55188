// Package tick lets the loops of a process look at the same moments: to wake an idle
// process costs more than what it then looks at, and so it is woken once for all of
// them. The moments of two processes have nothing to do with each other, so that many
// nodes don't ask one pacemaker at once.
package tick

import (
	"context"
	"math/rand/v2"
	"time"

	"aorta/internal/pause"
)

// phase is where this process's moments lie. All intervals count from there.
var phase = rand.N(time.Hour)

// Until is how long it is until the next moment of an interval that is at least half
// of it away: a loop that took long gets its rest all the same.
func Until(every time.Duration) time.Duration { return until(time.Now(), every) }

func until(now time.Time, every time.Duration) time.Duration {
	since := time.Duration(now.UnixNano()+int64(phase)) % every
	if wait := every - since; wait >= every/2 {
		return wait
	}
	return 2*every - since
}

// Next waits for that moment, and reports false when ctx ended first.
func Next(ctx context.Context, every time.Duration) bool { return pause.For(ctx, Until(every)) }
