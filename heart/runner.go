package heart

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"aorta/heart/docker"
	"aorta/heart/logs"
	"aorta/pacemaker/cluster"
)

// retryUnknown is the pause after the engine did not answer. Nothing is
// concluded from its silence.
const retryUnknown = time.Second

// runner sees to one instance. Its goroutine does one step a turn; what it
// needs to know lies in the record and in the container, so that a heart that
// was killed goes on where it was.
type runner struct {
	h    *Heart
	id   cluster.ID
	wake chan struct{} // look now
	http *http.Client

	// Of the goroutine alone: what this process saw of the present run.
	firstSeen  time.Time // of the process that started at startSeen
	startSeen  time.Time
	lastCheck  error
	misses     int
	nextCheck  time.Time
	nextMemory time.Time
	pulls      int
	portTries  int
	silent     bool      // the engine did not answer last time
	doubted    time.Time // when the present end by SIGKILL was first seen

	// starved says that the engine told of an out-of-memory kill in this run;
	// its container's state may lack that, when the two came in the wrong order.
	starved atomic.Bool

	// mu guards the rest.
	mu      sync.Mutex
	rec     record
	memory  int64
	moved   chan struct{} // closed and replaced with each change of the status
	cutWork context.CancelFunc
}

func newRunner(h *Heart, rec record) *runner {
	return &runner{
		h: h, id: rec.Spec.ID, rec: rec, wake: make(chan struct{}, 1), moved: make(chan struct{}),
		http: newCheckClient(), cutWork: func() {},
	}
}

func (r *runner) nudge() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// run takes turns until nothing is left of the instance or ctx ends.
func (r *runner) run(ctx context.Context) {
	if rec := r.record(); !rec.Gone && !rec.Stray {
		r.follow(rec)
	}
	for ctx.Err() == nil && !r.record().Gone {
		wait := r.turn(ctx)
		if wait <= 0 {
			continue
		}
		t := time.NewTimer(min(wait, lookEvery))
		select {
		case <-ctx.Done():
		case <-r.wake:
		case <-t.C:
		}
		t.Stop()
	}
}

// turn looks, decides and does one thing. It returns the pause until the next.
func (r *runner) turn(ctx context.Context) time.Duration {
	c, err := r.look(ctx)
	if err != nil {
		return r.unknown(ctx, err)
	}
	rec := r.record()
	s := decide(rec, c, time.Now())
	switch s.deed {
	case deedProvide:
		return r.provide(ctx, rec)
	case deedStart:
		return r.start(ctx, rec)
	case deedCheck:
		return r.check(ctx, rec, *c)
	case deedFail, deedCrash:
		return r.ended(ctx, rec, c, s.deed)
	case deedTerm:
		return r.terminate(ctx, rec)
	case deedKill:
		return r.kill(ctx)
	case deedClear:
		return r.clear(ctx)
	case deedGone:
		r.gone()
	}
	return s.wait
}

// look asks the engine for the container; nil when there is none.
func (r *runner) look(ctx context.Context) (*docker.Container, error) {
	c, err := r.h.engine.Inspect(ctx, r.id)
	if errors.Is(err, docker.ErrNoContainer) {
		err = nil
	} else if err == nil {
		r.sighted(c)
		r.silent = false
		return &c, nil
	}
	return nil, err
}

// sighted notes when this heart first saw the present process, by its own
// clock: start time-outs must not depend on the engine's.
func (r *runner) sighted(c docker.Container) {
	if !c.Running || c.StartedAt.Equal(r.startSeen) {
		return
	}
	r.startSeen, r.firstSeen = c.StartedAt, time.Now()
	r.lastCheck, r.misses, r.nextCheck, r.doubted = nil, 0, time.Time{}, time.Time{}
	started := c.StartedAt
	if rec := r.record(); rec.StartedAt == nil || !rec.StartedAt.Equal(started) {
		r.update(func(rec *record) { rec.StartedAt = &started })
	}
}

func (r *runner) unknown(ctx context.Context, err error) time.Duration {
	if ctx.Err() != nil {
		return retryUnknown
	}
	if rec := r.record(); cluster.CodeOf(err) == cluster.CodeConflict && !rec.Healthy && !rec.State.Ended() {
		r.fail(ctx, err.Error())
		return retryUnknown
	}
	if !r.silent {
		r.silent = true
		r.h.log.Warn("the state of an instance is unknown; its last known one stands", "instance", r.id, "err", err)
	}
	return retryUnknown
}

func (r *runner) record() record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rec
}

func (r *runner) status() cluster.InstanceStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.rec.status()
	s.Memory = r.memory
	return s
}

// observe gives the record and a channel that is closed when it has changed.
func (r *runner) observe() (record, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rec, r.moved
}

// update changes the record, writes it down and tells who waits for it. A
// change that can't be written stands all the same: it is what is.
func (r *runner) update(change func(*record)) {
	r.mu.Lock()
	change(&r.rec)
	rec := r.rec
	close(r.moved)
	r.moved = make(chan struct{})
	err := r.h.shelf.save(rec)
	r.mu.Unlock()
	if err != nil {
		r.h.log.Error("an instance's record could not be written", "instance", r.id, "err", err)
	}
	r.h.reportSoon()
}

// askStop asks the runner to end its instance, once.
func (r *runner) askStop() {
	if rec := r.record(); rec.StopAsked || rec.Gone {
		return
	}
	r.update(func(rec *record) { rec.StopAsked = true })
	r.mu.Lock()
	cut := r.cutWork
	r.mu.Unlock()
	cut()
	r.nudge()
}

// interruptible is a context for long work that a stop cuts short.
func (r *runner) interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cutWork = cancel
	if r.rec.StopAsked {
		cancel()
	}
	return ctx, cancel
}

func (r *runner) target(rec record) logs.Target {
	return logs.Target{ID: r.id, App: rec.Spec.AppID, Type: rec.Spec.Type, Release: rec.Spec.Release}
}

func (r *runner) follow(rec record) {
	if err := r.h.shipper.Follow(r.target(rec)); err != nil {
		r.h.log.Error("an instance's output is not shipped", "instance", r.id, "err", err)
	}
}
