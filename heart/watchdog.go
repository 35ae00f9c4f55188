package heart

import (
	"context"
	"slices"
	"time"

	"aorta/heart/cutoff"
	"aorta/internal/pause"
)

// keepWatchdog has the watchdog run while something goes by it, also while the engine hangs
// and no runner gets to that. What it can't see to is not promised any more.
func (h *Heart) keepWatchdog(ctx context.Context) error {
	for pause.For(ctx, watchdogPause) {
		if !h.guard.Holds() && !slices.ContainsFunc(h.allRunners(), func(r *runner) bool { return r.guarded.Load() }) {
			continue
		}
		err := h.cfg.Watchdog(ctx)
		if ctx.Err() != nil {
			break
		}
		if gone := err != nil; h.unwatched.Swap(gone) != gone {
			h.log.Warn("what ends instances of a node that is cut off is gone, or back", "err", err)
			h.reportSoon()
		}
	}
	return ctx.Err()
}

// watchdogPause is the time between two looks at the watchdog.
const watchdogPause = time.Second

// endOverdue kills as the watchdog does: one of the two may be gone.
func (h *Heart) endOverdue(ctx context.Context) error {
	ender := cutoff.NewEnder(h.guard.Dir(), h.log)
	for pause.For(ctx, ender.Look(h.guard.Contact())) {
	}
	return ctx.Err()
}
