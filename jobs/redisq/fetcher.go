package redisq

import (
	"context"
	"sync"
)

// fetcher fills its slots with jobs from some of the queue's streams.
type fetcher struct {
	*Worker
	streams []string      // the urgent first
	slots   chan struct{} // one token per running handler
}

func (w *Worker) fetcher(streams []string, slots int) fetcher {
	return fetcher{Worker: w, streams: streams, slots: make(chan struct{}, slots)}
}

// run takes jobs until ctx ends. Every handler that it starts is counted in
// handlers.
func (w fetcher) run(ctx context.Context, handlers *sync.WaitGroup) {
	wait := newBackoff()
	for {
		free := w.acquire(ctx)
		if free == 0 {
			return
		}
		entries, err := w.fetch(ctx, free)
		if err != nil && ctx.Err() == nil {
			w.recoverFrom(ctx, err, wait)
		} else {
			wait.Reset()
		}
		if ctx.Err() != nil {
			entries = nil // given back with those that the cut read brought
		}
		if len(entries) > free {
			w.giveBack(ctx, entries[free:])
			entries = entries[:free]
		}
		for range free - len(entries) {
			<-w.slots
		}
		for _, e := range entries {
			a := w.begin(ctx, e)
			handlers.Go(func() {
				defer func() { <-w.slots }()
				w.execute(ctx, a)
			})
		}
	}
}

// acquire waits for a free slot and takes all that are. 0: ctx has ended.
func (w fetcher) acquire(ctx context.Context) int {
	if ctx.Err() != nil {
		return 0
	}
	select {
	case w.slots <- struct{}{}:
	case <-ctx.Done():
		return 0
	}
	n := 1
	for n < cap(w.slots) {
		select {
		case w.slots <- struct{}{}:
			n++
		default:
			return n
		}
	}
	return n
}

// fetch takes up to n entries, high priority first, and waits for one when there
// is none. COUNT holds for each stream, so with few slots the streams are asked
// in turn, and the waiting read may, rarely, bring up to two too many.
func (w fetcher) fetch(ctx context.Context, n int) ([]entry, error) {
	if n >= len(w.streams) {
		return w.read(ctx, n/len(w.streams), true, w.streams...)
	}
	var out []entry
	for _, stream := range w.streams {
		got, err := w.read(ctx, n-len(out), false, stream)
		out = append(out, got...)
		if err != nil || len(out) == n {
			return out, err
		}
	}
	if len(out) > 0 {
		return out, nil
	}
	return w.read(ctx, 1, true, w.streams...)
}
