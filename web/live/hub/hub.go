package hub

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// Source computes topics.
type Source interface {
	// Compute computes the topics as they are at now. One that it can't is left
	// out of the answer and keeps saying what it said. Only one Compute goes on
	// at a time; it must end soon after ctx.
	Compute(ctx context.Context, topics []string, now time.Time) map[string]State
	// Changes wakes, until ctx ends, when a topic may say something new.
	Changes(ctx context.Context) <-chan struct{}
}

const (
	computeGap     = 500 * time.Millisecond // between two computations at the least
	computeTick    = time.Second            // and, when nothing wakes, at the most
	computeTimeout = 5 * time.Second
	freshFor       = 2 * computeTick // how old a snapshot may be that greets a stream
)

// Hub computes topics for all of its streams. Make it with New, then Run it.
type Hub struct {
	source Source
	log    *slog.Logger
	came   chan struct{} // holds one wake-up: a stream was opened
	linger time.Duration // how long it stays awake when the last has gone

	mu      sync.Mutex // guards streams and ended
	streams map[*Stream]struct{}
	ended   bool

	// Only Run's goroutine uses these.
	snapshots map[string]*snapshot
	n         uint64 // of the last frame
}

// New makes a hub.
func New(source Source, log *slog.Logger) *Hub {
	return &Hub{
		source: source, log: log, came: make(chan struct{}, 1), linger: 15 * time.Second,
		streams: map[*Stream]struct{}{}, snapshots: map[string]*snapshot{},
	}
}

// Open begins a reader's stream of topics: each comes in full at first, and
// whenever the reader was too slow for what changed.
func (h *Hub) Open(topics []string) *Stream {
	s := &Stream{hub: h, frames: make(chan Frame, backlog+len(topics)), behind: make(map[string]bool, len(topics))}
	for _, t := range topics {
		s.behind[t] = true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		close(s.frames)
		return s
	}
	h.streams[s] = struct{}{}
	select {
	case h.came <- struct{}{}:
	default:
	}
	return s
}

// Run works until ctx ends; then all streams end. While there are no readers it
// waits, and computes nothing.
func (h *Hub) Run(ctx context.Context) error {
	defer h.end()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-h.came:
		}
		h.serve(ctx)
	}
}

func (h *Hub) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	for s := range h.streams {
		close(s.frames)
	}
	clear(h.streams)
}

// serve works while somebody listens, and a little longer: a reader that turns
// to another page closes one stream and opens the next.
func (h *Hub) serve(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	changes := h.source.Changes(ctx)
	tick := time.NewTicker(computeTick)
	defer tick.Stop()
	gap := time.NewTimer(0)
	defer gap.Stop()
	listened := time.Now() // when somebody listened last
	dirty, rested := true, false
	for {
		if dirty && rested {
			if h.compute(ctx, h.topics()) {
				listened = time.Now()
			}
			dirty, rested = false, false
			gap.Reset(computeGap)
		}
		select {
		case <-ctx.Done():
			return
		case <-h.came:
			h.compute(ctx, h.unseen())
		case <-changes:
			dirty = true
		case <-tick.C:
			dirty = true
			if time.Since(listened) > h.linger {
				clear(h.snapshots)
				return
			}
		case <-gap.C:
			rested = true
		}
	}
}

// open lists the streams.
func (h *Hub) open() []*Stream {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Keys(h.streams))
}

// topics lists what somebody listens to.
func (h *Hub) topics() []string {
	wanted := map[string]bool{}
	for _, s := range h.open() {
		for t := range s.behind {
			wanted[t] = true
		}
	}
	return slices.Sorted(maps.Keys(wanted))
}

// unseen lists what new streams listen to and no snapshot says freshly.
func (h *Hub) unseen() []string {
	now := time.Now()
	return slices.DeleteFunc(h.topics(), func(t string) bool {
		b := h.snapshots[t]
		return b != nil && now.Sub(b.at) < freshFor
	})
}

// compute computes the topics and gives every stream what it lacks. It reports
// whether anybody listens.
func (h *Hub) compute(ctx context.Context, topics []string) bool {
	changed := map[string]change{}
	if len(topics) > 0 {
		bounded, cancel := context.WithTimeout(ctx, computeTimeout)
		now := time.Now()
		states := h.source.Compute(bounded, topics, now)
		cancel()
		for t, state := range states {
			if h.snapshots[t] == nil {
				h.snapshots[t] = &snapshot{}
			}
			data, err := h.snapshots[t].update(state, now)
			if err != nil {
				h.log.Error("a live topic can't be encoded", "topic", t, "err", err)
				continue
			}
			if data != nil {
				changed[t] = data
			}
		}
	}
	streams := h.open()
	for _, s := range streams {
		h.deliver(s, changed)
	}
	h.forget(streams)
	return len(streams) > 0
}

// deliver gives a stream what changed, or the whole of what it is behind with.
func (h *Hub) deliver(s *Stream, changed map[string]change) {
	for _, t := range slices.Sorted(maps.Keys(s.behind)) {
		b, data := h.snapshots[t], changed[t]
		if b == nil || b.event == "" {
			continue
		}
		if s.behind[t] {
			data = b.full()
		}
		if data == nil {
			continue
		}
		h.n++
		s.behind[t] = !s.offer(Frame{N: h.n, Event: b.event, Data: data})
	}
}

// forget drops the snapshots of topics without readers.
func (h *Hub) forget(streams []*Stream) {
	for t := range h.snapshots {
		if !slices.ContainsFunc(streams, func(s *Stream) bool { _, wants := s.behind[t]; return wants }) {
			delete(h.snapshots, t)
		}
	}
}
