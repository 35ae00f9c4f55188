package heart

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"aorta/heart/cutoff"
	"aorta/internal/pause"
	"aorta/internal/tick"
	"aorta/pacemaker/cluster"
)

// maxSessionConflicts is how often a hello may be refused because another heart
// has this node's session: that heart may be a process that was just killed.
const maxSessionConflicts = 5

// coalesceDelay is how long a report waits for more changes after the first, so
// that many changes make few reports.
const coalesceDelay = 10 * time.Millisecond

// reporter sends the node's state to the pacemaker, one report at a time.
type reporter struct {
	h        *Heart
	counter  uint64
	full     bool
	reported map[cluster.ID]cluster.InstanceStatus // as of the last report that was answered
	away     bool
}

// report registers this heart and then reports on each change and each tick.
func (h *Heart) report(ctx context.Context) error {
	rep := &reporter{h: h}
	if err := rep.register(ctx); err != nil {
		return err
	}
	for {
		if err := rep.once(ctx); err != nil {
			return err
		}
		if err := rep.wait(ctx); err != nil {
			return err
		}
	}
}

// wait returns on the tick or on a change. While the pacemaker is away, changes
// are ignored, so that frequent ones don't cause frequent retries.
func (rep *reporter) wait(ctx context.Context) error {
	due := time.NewTimer(tick.Until(rep.h.cfg.ReportEvery))
	defer due.Stop()
	changed := rep.h.changed
	if rep.away {
		changed = nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-due.C:
	case <-changed:
		if !pause.For(ctx, coalesceDelay) {
			return ctx.Err()
		}
	}
	return nil
}

// register opens this heart's session and waits for as long as the pacemaker is
// away. It fails when the pacemaker refuses: another heart has the node's name,
// or the node is unknown.
func (rep *reporter) register(ctx context.Context) error {
	h := rep.h
	hello := h.cfg.Hello
	hello.Address = h.Address()
	for refusals := 0; ; {
		bounded, cancel := context.WithTimeout(ctx, callTimeout)
		welcome, err := h.pace.Hello(bounded, hello)
		cancel()
		if err == nil {
			rep.full, rep.reported = true, nil
			if h.cfg.Welcomed != nil {
				h.cfg.Welcomed(welcome)
			}
			return nil
		}
		switch code := cluster.CodeOf(err); {
		case ctx.Err() != nil:
			return ctx.Err()
		case code == cluster.CodeConflict && refusals < maxSessionConflicts:
			refusals++
		case code.RefusesNode():
			return fmt.Errorf("the pacemaker refuses node %s: %w", h.cfg.NodeName, err)
		}
		rep.logReachability(err)
		if !pause.For(ctx, h.cfg.ReportEvery) {
			return ctx.Err()
		}
	}
}

// logReachability logs when the pacemaker stops answering and when it answers
// again, not each attempt.
func (rep *reporter) logReachability(err error) {
	if away := err != nil; away != rep.away {
		rep.away = away
		if away {
			rep.h.log.Warn("the pacemaker does not answer; instances go on", "err", err)
		} else {
			rep.h.log.Info("the pacemaker answers again")
		}
	}
}

// once sends one report. It fails only when this heart is refused.
func (rep *reporter) once(ctx context.Context) error {
	report, now := rep.compose()
	sent := cutoff.Now()
	bounded, cancel := context.WithTimeout(ctx, rep.h.reportTimeout())
	answer, err := rep.h.pace.Report(bounded, report)
	cancel()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	rep.logReachability(err)
	if err != nil && cluster.CodeOf(err).EndsSession() {
		return rep.register(ctx)
	}
	if err != nil {
		return nil
	}
	rep.h.reached(sent, answer.DeadAfter)
	rep.reported, rep.full = now, answer.SendFull
	if answer.SendFull {
		rep.h.reportSoon()
	}
	rep.h.queueAnswer(answer)
	return nil
}

// compose returns a report and the statuses that the pacemaker has once it
// accepted it.
func (rep *reporter) compose() (cluster.Report, map[cluster.ID]cluster.InstanceStatus) {
	h := rep.h
	load, err := h.meter.Read()
	if err != nil {
		h.log.Warn("could not measure the node's load in full", "err", err)
	}
	all := h.statuses()
	load.Instances, load.Promised = h.promised()
	rep.counter++
	applied, found := h.appliedNow(), h.cfg.Tags.Found()
	r := cluster.Report{
		Session: h.cfg.Hello.Session, Counter: rep.counter, Epoch: applied.Epoch, Revision: applied.Revision,
		Roles: h.cfg.Hello.Roles, Address: h.Address(), Load: load.Scored(), Tags: found.Tags, TagSources: found.Sources, Parts: h.cfg.Parts(),
		Digest: cluster.InstanceDigest(all), Full: rep.full || rep.reported == nil,
	}
	now := make(map[cluster.ID]cluster.InstanceStatus, len(all))
	for _, s := range all {
		now[s.ID] = s
	}
	for id := range rep.reported {
		if _, still := now[id]; !still {
			r.Full = true // only a full report shows what is no longer here
		}
	}
	for _, s := range all {
		if old, known := rep.reported[s.ID]; r.Full || !known || differs(old, s) {
			r.Instances = append(r.Instances, s)
		} else {
			now[s.ID] = old // keep the reported use, to compare with next time
		}
	}
	return r, now
}

// differs says whether a status must be reported; a change of memory counts
// from a sixteenth on, one of cores from a sixteenth and a hundredth of a core.
func differs(old, now cluster.InstanceStatus) bool {
	moved := max(old.Memory-now.Memory, now.Memory-old.Memory) > old.Memory/16
	one := []cluster.InstanceStatus{old}
	other := []cluster.InstanceStatus{now}
	return moved || otherCores(old.CPU, now.CPU) || cluster.InstanceDigest(one) != cluster.InstanceDigest(other)
}

func otherCores(old, now *float64) bool {
	if old == nil || now == nil {
		return old != now
	}
	return math.Abs(*now-*old) > max(0.01, *old/16)
}

// promised is how many instances the node has that have not ended, and how much
// memory these may take together.
func (h *Heart) promised() (instances int, memory int64) {
	for _, r := range h.allRunners() {
		if rec := r.record(); !rec.Stray && !rec.State.Ended() {
			instances++
			memory += rec.Spec.Limits.OrDefault().Memory
		}
	}
	return instances, memory
}

func (h *Heart) allRunners() []*runner {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Values(h.runners))
}

func (h *Heart) statuses() []cluster.InstanceStatus {
	runners := h.allRunners()
	list := make([]cluster.InstanceStatus, 0, len(runners))
	for _, r := range runners {
		list = append(list, r.status())
	}
	slices.SortFunc(list, func(a, b cluster.InstanceStatus) int { return cmp.Compare(a.ID, b.ID) })
	return list
}
