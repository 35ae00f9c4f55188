package agent

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"aorta/internal/tick"
	"aorta/router/openresty"
)

// How long a worker may do nothing about the routing table: it looks at it each
// second, whether the replica answers or not, and takes over a loop of its own
// that hangs after 15 s. It is named before it is replaced: by then 8 s have gone.
const (
	watchEvery  = time.Second
	lateAfter   = 5 * time.Second
	stuckAfter  = 20 * time.Second
	surelyAfter = 3 * time.Second  // of looks that say so: a clock may have been set
	killAfter   = 40 * time.Second // a little more than nginx lets a worker end
)

// workers are those of one nginx.
type workers interface {
	Status(ctx context.Context) (openresty.Status, error)
	EndWorker(pid int) error
	KillWorker(pid int) error
	Renew() error
}

// watcher finds the workers that do not follow the routing table, or do not
// answer at all, and replaces them. They go on serving until they end.
type watcher struct {
	nginx workers
	log   *slog.Logger
	now   func() time.Time

	// Only run's goroutine touches these.
	known    []int // that took requests when nginx answered last
	answered time.Time
	cases    map[int]*ailing

	mu       sync.Mutex // guards what follows
	stuck    []int
	replaced uint64
}

// ailing is a worker that is late.
type ailing struct {
	since time.Time
	asked time.Time // to end; zero: not yet
}

func newWatcher(nginx workers, log *slog.Logger) *watcher {
	return &watcher{nginx: nginx, log: log, now: time.Now, cases: map[int]*ailing{}}
}

// run watches until ctx ends.
func (w *watcher) run(ctx context.Context) error {
	w.answered = w.now()
	for {
		w.check(ctx)
		if !tick.Next(ctx, watchEvery) {
			return nil
		}
	}
}

// check finds who is late and does what is due.
func (w *watcher) check(ctx context.Context) {
	late := w.lateWorkers(ctx)
	if ctx.Err() != nil {
		return
	}
	for pid := range w.cases {
		if _, still := late[pid]; !still {
			delete(w.cases, pid)
		}
	}
	var sure, due []int
	for pid, by := range late {
		if w.cases[pid] == nil {
			w.cases[pid] = &ailing{since: w.now()}
		}
		if w.now().Sub(w.cases[pid].since) < surelyAfter {
			continue
		}
		sure = append(sure, pid)
		if by >= stuckAfter {
			due = append(due, pid)
		}
	}
	w.mu.Lock()
	w.stuck = sure
	w.mu.Unlock()
	w.replace(due)
}

// lateWorkers is who should have looked at the table and has not, for how long; all of
// them when nginx has not answered for as long.
func (w *watcher) lateWorkers(ctx context.Context) map[int]time.Duration {
	now, late := w.now(), map[int]time.Duration{}
	note := func(pid int, by time.Duration) {
		if by >= lateAfter {
			late[pid] = by
		}
	}
	s, err := w.nginx.Status(ctx)
	if err != nil {
		for _, pid := range w.known {
			note(pid, now.Sub(w.answered))
		}
		return late
	}
	w.answered = now
	w.known = w.known[:0:0]
	for _, worker := range s.Workers {
		if worker.Exiting {
			continue
		}
		w.known = append(w.known, worker.PID)
		note(worker.PID, now.Sub(worker.Looked()))
	}
	return late
}

// replace asks each to end, once, and kills who does not. Where none would be
// left to take requests, new ones are started first.
func (w *watcher) replace(stuck []int) {
	all := len(stuck) == len(w.known)
	renew := false
	for _, pid := range stuck {
		c := w.cases[pid]
		switch {
		case c.asked.IsZero():
			w.report(pid)
			c.asked = w.now()
			if all {
				renew = true
			} else {
				w.did("asked to end", pid, w.nginx.EndWorker(pid))
			}
		case w.now().Sub(c.asked) >= killAfter:
			c.asked = w.now()
			w.did("killed", pid, w.nginx.KillWorker(pid))
		}
	}
	if renew {
		w.did("replaced with all others", 0, w.nginx.Renew())
	}
}

// report is once for each worker.
func (w *watcher) report(pid int) {
	w.log.Error("a router's worker does not follow the routing table and is replaced; it serves what it has until then", "worker", pid)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.replaced++
}

func (w *watcher) did(what string, pid int, err error) {
	if err != nil {
		w.log.Warn("a router's worker that is stuck could not be "+what, "worker", pid, "err", err)
	}
}

// Stuck are the process ids of workers that do not follow the table, which are
// replaced if that lasts.
func (w *watcher) Stuck() []int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.stuck)
}

// Replaced counts the workers that were found stuck.
func (w *watcher) Replaced() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.replaced
}
