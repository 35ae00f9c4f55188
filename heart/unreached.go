package heart

import (
	"context"
	"time"

	"aorta/heart/cutoff"
	"aorta/heart/docker"
	"aorta/internal/duration"
	"aorta/pacemaker/cluster"
)

// guarding is what a runner knows of an instance that is to end where the pacemaker is not
// reached. Its goroutine alone uses it.
type guarding struct {
	container string        // the engine's id of what is held
	asked     time.Time     // when the process began that was asked to end
	killAt    time.Duration // when that is killed, on the clock of cutoff.Now
	proven    time.Time     // when the process began that can be killed from here
	unproven  error         // why the last one that was seen can't be
	nextAsk   time.Time     // when the pacemaker is asked again whether it may run on
}

// reached notes that a report was answered. What is held goes by the shorter of what was
// promised with the report and what the pacemaker goes by now: until it has another promise,
// it goes by that one.
func (h *Heart) reached(sent, deadAfter time.Duration) {
	if deadAfter <= 0 {
		return // it was not said: what was promised stands, and runs out
	}
	after := deadAfter
	if promised := time.Duration(h.promise.Swap(int64(deadAfter))); promised > 0 {
		after = min(after, promised)
	}
	if err := h.guard.Reached(cutoff.Contact{Sent: sent, After: after}); err != nil {
		h.log.Error("what stops when it is cut off will, since it can't be recorded that it isn't", "err", err)
	}
}

// reportTimeout bounds a report: one that hangs must leave time for another one, where
// something ends without.
func (h *Heart) reportTimeout() time.Duration {
	if after := h.guard.Contact().After; h.guard.Holds() && after > 0 {
		return min(callTimeout, after/3)
	}
	return callTimeout
}

// heedContact holds the container to the pacemaker's word, and has its process end once
// that was not heard for too long. It gives the time until the next turn, and 0 where there
// is nothing to do but what is done otherwise.
func (r *runner) heedContact(ctx context.Context, rec record, c *docker.Container) time.Duration {
	if !rec.Spec.StopWhenCutOff {
		return 0
	}
	if err := r.hold(ctx, c); err != nil {
		r.guarded.Store(false)
		if c != nil && !c.Running && !rec.StopAsked && !rec.State.Ended() {
			r.setLacks("it is to stop when it is cut off, and nothing could see to that: " + err.Error())
			return leavePause
		}
	}
	switch {
	case c == nil || !c.Running:
		return 0
	case r.guarding.asked.Equal(c.StartedAt), r.h.guard.CutOff() && !rec.StopAsked:
		return r.endCutOff(ctx, rec, *c)
	case r.mayRun(rec.Spec) || r.h.guard.CutOff():
		return 0
	}
	return r.mayRunOn(ctx, *c)
}

// endCutOff asks the process to end, and kills it when its grace or the time is over, what
// comes first; the watchdog does so too. What was asked is seen through where the pacemaker
// is reached again meanwhile: it may not work any more.
func (r *runner) endCutOff(ctx context.Context, rec record, c docker.Container) time.Duration {
	signal, asked, now := "", r.guarding.asked.Equal(c.StartedAt), cutoff.Now()
	switch {
	case r.h.guard.Overdue(), asked && now >= r.guarding.killAt:
		signal = "SIGKILL"
	case !asked:
		signal = c.StopSignal
		r.guarding.killAt = min(now+rec.Spec.Grace(), r.h.guard.Contact().KillAt())
	}
	if signal != "" {
		if err := r.h.engine.Signal(ctx, r.id, signal); err != nil {
			return r.unknown(ctx, err)
		}
		r.guarding.asked = c.StartedAt
	}
	if left := r.guarding.killAt - now; left > 0 {
		return min(retryUnknown, left)
	}
	return retryUnknown
}

// mayRunOn asks about a process that runs and has no leave, as after a lapse that nobody
// saw, or where an engine that hung was late to start it. If another one may have its place
// since, it is killed at once. Before a lapse it has no successor: a report's answer has it
// stopped in order.
func (r *runner) mayRunOn(ctx context.Context, c docker.Container) time.Duration {
	if time.Now().Before(r.guarding.nextAsk) {
		return 0
	}
	r.guarding.nextAsk = time.Now().Add(leavePause)
	err := r.demandLeave(ctx)
	if cluster.CodeOf(err) != cluster.CodeNotFound || r.h.guard.Lapses() == 0 {
		return 0
	}
	r.h.log.Warn("an instance runs that is not wanted since its node was cut off; it is killed", "instance", r.id)
	if err := r.h.engine.Signal(ctx, r.id, "SIGKILL"); err != nil {
		return r.unknown(ctx, err)
	}
	r.guarding.asked = c.StartedAt
	return retryUnknown
}

// hold has the watchdog run and the container, if there is one, held: before its process
// starts.
func (r *runner) hold(ctx context.Context, c *docker.Container) error {
	if err := r.h.cfg.Watchdog(ctx); err != nil {
		return err
	}
	if c != nil && r.guarding.container != c.EngineID {
		if err := r.h.guard.Hold(string(r.id), c.EngineID); err != nil {
			return err
		}
		r.guarding.container = c.EngineID
	}
	if c != nil && c.Running && !r.guarding.proven.Equal(c.StartedAt) {
		if r.guarding.unproven = cutoff.CanEnd(c.Pid, c.EngineID); r.guarding.unproven == nil {
			r.guarding.proven = c.StartedAt
		}
	}
	can := r.guarding.unproven == nil
	if r.guarded.Swap(can) != can {
		r.h.reportSoon()
		if !can {
			r.h.log.Warn("an instance that is to stop when it is cut off can't be killed from here: nothing is promised of it", "instance", r.id, "err", r.guarding.unproven)
		}
	}
	return nil
}

// endedFor says for what an instance's process was ended that is to stop when it is cut
// off; nothing where that did not.
func (r *runner) endedFor(rec record, c docker.Container) string {
	ended, told := r.h.guard.Ended(string(r.id))
	switch {
	case !rec.Spec.StopWhenCutOff:
		return ""
	case ended && told:
		return cluster.StoppedWithNode
	case ended || r.guarding.asked.Equal(c.StartedAt):
		return cluster.Unreached
	}
	return ""
}

// cutOffFor says for people why what is to stop when it is cut off does not start.
func (h *Heart) cutOffFor() string {
	c := h.guard.Contact()
	if c.After == 0 {
		return cluster.Unreached + " since it started"
	}
	return cluster.Unreached + " for " + duration.Text((cutoff.Now() - c.Sent).Truncate(time.Second))
}

// untilCutOff is the time until the instance is to stop unless the pacemaker is reached.
func (r *runner) untilCutOff() time.Duration {
	if left := r.h.guard.Left(); left > 0 && r.record().Spec.StopWhenCutOff {
		return left
	}
	return inspectInterval
}
