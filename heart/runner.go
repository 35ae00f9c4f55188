package heart

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"aorta/heart/docker"
	"aorta/heart/logs"
	"aorta/internal/broadcast"
	"aorta/pacemaker/cluster"
)

// retryUnknown is the pause after the engine did not answer. An instance's
// state is not changed for that.
const retryUnknown = time.Second

// runner runs one instance. Its goroutine does one step a turn, from the record
// and the container's state alone, so that a heart that was killed continues
// where it was.
type runner struct {
	h    *Heart
	id   cluster.ID
	wake chan struct{} // take a turn now
	http *http.Client

	// Used by the goroutine alone: what this heart saw of the present process.
	firstSeen   time.Time // of the process that started at startSeen
	startSeen   time.Time
	lastCheck   error
	misses      int
	nextCheck   time.Time
	nextLook    time.Time // at where it listens
	misplaced   misplaced
	gauge       gauge
	nextMeasure time.Time // of what it has written
	unmeasured  bool      // it was said that this fails
	portTries   int
	sigkillSeen time.Time // when it was first seen that SIGKILL ended the process
	forgottenAt time.Time // when a process without a container was asked to end
	proven      bool      // that it answers at its address

	guarding guarding

	// leave: this process was told that its instance may run, or has seen it run.
	leave leave
	// guarded: the instance ends where its node does not reach the pacemaker.
	guarded atomic.Bool
	// oomKilled: an event reported an out-of-memory kill of the present process.
	// The container's state may lack it when the process ended before the event.
	oomKilled atomic.Bool

	// mu guards the rest.
	mu         sync.Mutex
	rec        record
	published  netip.Addr        // where its port is; invalid: not known
	memory     int64             // bytes in use; 0: not known
	cpu        *float64          // cores in use; nil: not known
	waits      string            // why the engine does not let it go on; empty: it does
	lacks      string            // what its start waits for, as far as that is known
	changed    *broadcast.Signal // the status is another
	cancelWork context.CancelFunc
}

func newRunner(h *Heart, rec record) *runner {
	return &runner{
		h: h, id: rec.Spec.ID, rec: rec, wake: make(chan struct{}, 1), changed: broadcast.New(),
		http: newCheckClient(), cancelWork: func() {},
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
	for ctx.Err() == nil && !r.record().Gone {
		wait := r.turn(ctx)
		if wait <= 0 {
			continue
		}
		t := time.NewTimer(min(wait, inspectInterval, r.untilCutOff()))
		select {
		case <-ctx.Done():
		case <-r.wake:
		case <-t.C:
		}
		t.Stop()
	}
}

// turn inspects the container and does the next step. It returns the time until
// the next turn.
func (r *runner) turn(ctx context.Context) time.Duration {
	c, err := r.inspect(ctx)
	if err != nil {
		return r.unknown(ctx, err)
	}
	rec := r.record()
	if wait := r.heedContact(ctx, rec, c); wait > 0 {
		return wait
	}
	s := decide(rec, c, time.Now())
	switch s.action {
	case actionPrepare:
		if wait := r.endForgotten(rec); wait > 0 {
			return wait
		}
		if wait := r.askLeave(ctx, rec); wait > 0 {
			return wait
		}
		return r.prepare(ctx, rec)
	case actionStart:
		if wait := r.askLeave(ctx, rec); wait > 0 {
			return wait
		}
		return r.start(ctx, rec)
	case actionCheck:
		if cause := r.wroteTooMuch(ctx, rec.Spec, *c); cause != "" {
			r.fail(ctx, cause)
			return 0
		}
		r.measure(ctx, *c)
		return r.check(ctx, rec, *c)
	case actionFail, actionCrash:
		r.setUsage(0, nil)
		return r.ended(ctx, rec, c, s.action)
	case actionTerm:
		return r.terminate(ctx, *c)
	case actionKill:
		return r.kill(ctx)
	case actionRemove:
		return r.remove(ctx)
	case actionDiscard:
		return r.discard(ctx)
	case actionGone:
		if wait := r.endForgotten(rec); wait > 0 {
			return wait
		}
		r.gone()
	}
	return s.wait
}

// inspect returns the container, whatever somebody has named it; nil when there is
// none.
func (r *runner) inspect(ctx context.Context) (*docker.Container, error) {
	c, err := r.h.engine.Inspect(ctx, r.id)
	if errors.Is(err, docker.ErrNoContainer) {
		c, err = r.h.engine.Regain(ctx, r.id, r.record().Process.Container)
	}
	if errors.Is(err, docker.ErrNoContainer) {
		err = nil
	} else if err == nil {
		r.notePublished(c.Published)
		r.noteProcess(c)
		r.follow(c)
		r.setWaits("")
		return &c, nil
	}
	return nil, err
}

// notePublished notes where its port is: a container keeps the address that it was made
// with, whatever its node's is now.
func (r *runner) notePublished(at netip.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.published != at {
		r.published = at
		r.h.reportSoon()
	}
}

// noteProcess records when this heart first saw the present process, by its own
// clock: start timeouts must not depend on the engine's.
func (r *runner) noteProcess(c docker.Container) {
	if !c.Running {
		return
	}
	if !r.record().Spec.StopWhenCutOff {
		r.leave.give(0)
	}
	if c.StartedAt.Equal(r.startSeen) {
		return
	}
	r.startSeen, r.firstSeen = c.StartedAt, time.Now()
	r.lastCheck, r.misses, r.nextCheck, r.sigkillSeen, r.proven = nil, 0, time.Time{}, time.Time{}, false
	r.misplaced = misplaced{}
	if err := r.h.engine.Prefer(c); err != nil && !r.h.unpreferred.Swap(true) { // it is so for all
		r.h.log.Warn("instances have to share the processor with what their engine does for them", "instance", r.id, "err", err)
	}
	started, noted := c.StartedAt, process{Container: c.EngineID, Pid: c.Pid, Signal: c.StopSignal}
	if rec := r.record(); rec.StartedAt == nil || !rec.StartedAt.Equal(started) || rec.Process != noted {
		r.update(func(rec *record) { rec.StartedAt, rec.Process = &started, noted })
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
	if before := r.setWaits(err.Error()); before == "" {
		r.h.log.Warn("the engine can't be asked for an instance; its last known state stands", "instance", r.id, "err", err)
	}
	return retryUnknown
}

// setWaits notes what the instance waits for, for those who observe it, and returns
// what that was.
func (r *runner) setWaits(text string) (before string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before = r.waits
	if r.waits = text; text != before {
		r.changed.Notify()
	}
	return before
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
	s.Memory, s.CPU = r.memory, r.cpu
	if r.rec.Spec.StopWhenCutOff && r.guarded.Load() && !r.h.unwatched.Load() && !s.Gone {
		s.StopsAfter = time.Duration(r.h.promise.Load())
	}
	if cluster.ValidateNodeAddress("address", r.published.String()) == nil {
		s.Address = r.published.String()
	}
	return s
}

// observe returns the record, what the instance waits for, and a channel that is
// closed with the next change of them.
func (r *runner) observe() (rec record, waits string, changed <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rec, cmp.Or(r.waits, r.lacks), r.changed.C()
}

// update changes the record, writes it to disk and wakes those who observe it.
// A change that can't be written holds in memory: it describes what happened.
func (r *runner) update(change func(*record)) {
	r.mu.Lock()
	change(&r.rec)
	rec := r.rec
	r.changed.Notify()
	err := r.h.records.save(rec)
	r.mu.Unlock()
	if err != nil {
		r.h.log.Error("could not write an instance's record", "instance", r.id, "err", err)
	}
	r.h.reportSoon()
}

// askStop makes the runner stop its instance. It interrupts a start.
func (r *runner) askStop() {
	if rec := r.record(); rec.StopAsked || rec.Gone {
		return
	}
	r.update(func(rec *record) { rec.StopAsked = true })
	r.mu.Lock()
	cancel := r.cancelWork
	r.mu.Unlock()
	cancel()
	r.nudge()
}

// interruptible returns a context for long work that askStop cancels.
func (r *runner) interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cancelWork = cancel
	if r.rec.StopAsked {
		cancel()
	}
	return ctx, cancel
}

func (r *runner) target(rec record) logs.Target {
	return logs.Target{ID: r.id, App: rec.Spec.AppID, Type: rec.Spec.Type, Release: rec.Spec.Release}
}

// follow ships the container's output, which there is from its first start on.
func (r *runner) follow(c docker.Container) {
	if rec := r.record(); !rec.Gone && !rec.Stray && c.LogPath != "" {
		r.h.shipper.Follow(r.target(rec), c.LogPath)
	}
}
