package heart

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"aorta/heart/tags"
	"aorta/internal/pause"
	"aorta/pacemaker/cluster"
)

// patience is how many report intervals a hello may be refused as a second
// heart: the first one's session may be of a process that was just killed.
const patience = 5

// gatherChanges is how long a report waits for further changes after one, so
// that a node with many of them is not busy with reports alone.
const gatherChanges = 10 * time.Millisecond

// reporter is the loop that tells the pacemaker how the node is. It has one
// report under way at a time.
type reporter struct {
	h       *Heart
	counter uint64
	full    bool
	told    map[cluster.ID]cluster.InstanceStatus // as the last answered report had it
	away    bool
}

// report greets and then reports, at once on a change and on each tick.
func (h *Heart) report(ctx context.Context) error {
	rep := &reporter{h: h}
	if err := rep.greet(ctx); err != nil {
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

// wait ends with the tick or with a change. While the pacemaker is away only
// the tick tries again: an instance that changes all the time must not press it.
func (rep *reporter) wait(ctx context.Context) error {
	spread := 0.9 + 0.2*rand.Float64()
	tick := time.NewTimer(time.Duration(spread * float64(rep.h.cfg.ReportEvery)))
	defer tick.Stop()
	changed := rep.h.changed
	if rep.away {
		changed = nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-tick.C:
	case <-changed:
		if !pause.For(ctx, gatherChanges) {
			return ctx.Err()
		}
	}
	return nil
}

// greet opens the session, however long the pacemaker is away. It gives up
// when the pacemaker knows another heart by this name, or none.
func (rep *reporter) greet(ctx context.Context) error {
	h := rep.h
	host, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("read the host's name: %w", err)
	}
	hello := cluster.Hello{
		Session: h.cfg.Session, Hostname: host, Pid: os.Getpid(), Roles: h.cfg.Roles, Address: h.Address(), Version: h.cfg.Version,
	}
	for refusals := 0; ; {
		bounded, cancel := context.WithTimeout(ctx, askLimit)
		welcome, err := h.pace.Hello(bounded, hello)
		cancel()
		if err == nil {
			rep.full, rep.told = true, nil
			if h.cfg.Welcomed != nil {
				h.cfg.Welcomed(welcome)
			}
			return nil
		}
		switch code := cluster.CodeOf(err); {
		case ctx.Err() != nil:
			return ctx.Err()
		case code == cluster.CodeConflict && refusals < patience:
			refusals++
		case code == cluster.CodeConflict || code == cluster.CodeForbidden || code == cluster.CodeNotFound || code == cluster.CodeInvalid:
			return fmt.Errorf("the pacemaker refuses node %s: %w", h.cfg.NodeName, err)
		}
		rep.heard(err)
		if !pause.For(ctx, h.cfg.ReportEvery) {
			return ctx.Err()
		}
	}
}

// heard logs when the pacemaker goes away and when it is back, not each try.
func (rep *reporter) heard(err error) {
	if away := err != nil; away != rep.away {
		rep.away = away
		if away {
			rep.h.log.Warn("the pacemaker does not answer; instances go on", "err", err)
		} else {
			rep.h.log.Info("the pacemaker answers again")
		}
	}
}

// once sends one report. Only a refusal of this heart is returned.
func (rep *reporter) once(ctx context.Context) error {
	report, now := rep.compose()
	bounded, cancel := context.WithTimeout(ctx, askLimit)
	answer, err := rep.h.pace.Report(bounded, report)
	cancel()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	rep.heard(err)
	switch cluster.CodeOf(err) {
	case cluster.CodeConflict, cluster.CodeForbidden:
		if err != nil {
			return rep.greet(ctx)
		}
	}
	if err != nil {
		return nil
	}
	rep.told, rep.full = now, answer.SendFull
	if answer.SendFull {
		rep.h.reportSoon()
	}
	rep.h.hand(answer)
	return nil
}

// compose makes a report and the set of statuses that it stands for.
func (rep *reporter) compose() (cluster.Report, map[cluster.ID]cluster.InstanceStatus) {
	h := rep.h
	load, err := h.meter.Read()
	if err != nil {
		h.log.Warn("the node's load is not known in full", "err", err)
	}
	all := h.statuses()
	rep.counter++
	applied := h.appliedNow()
	r := cluster.Report{
		Session: h.cfg.Session, Counter: rep.counter, Epoch: applied.Epoch, Revision: applied.Revision,
		Roles: h.cfg.Roles, Address: h.Address(), Load: load, Tags: tags.Find(h.cfg.Tags),
		Digest: cluster.InstanceDigest(all), Full: rep.full || rep.told == nil,
	}
	now := make(map[cluster.ID]cluster.InstanceStatus, len(all))
	for _, s := range all {
		now[s.ID] = s
	}
	for id := range rep.told {
		if _, still := now[id]; !still {
			r.Full = true // only a full set shows what was forgotten
		}
	}
	for _, s := range all {
		if old, known := rep.told[s.ID]; r.Full || !known || differs(old, s) {
			r.Instances = append(r.Instances, s)
		} else {
			now[s.ID] = old // the memory it was told, for the next comparison
		}
	}
	return r, now
}

// differs says that a status is worth telling; memory only when it moved by a
// sixteenth.
func differs(old, now cluster.InstanceStatus) bool {
	moved := max(old.Memory-now.Memory, now.Memory-old.Memory) > old.Memory/16
	one := []cluster.InstanceStatus{old}
	other := []cluster.InstanceStatus{now}
	return moved || cluster.InstanceDigest(one) != cluster.InstanceDigest(other)
}

func (h *Heart) statuses() []cluster.InstanceStatus {
	h.mu.Lock()
	runners := make([]*runner, 0, len(h.runners))
	for _, r := range h.runners {
		runners = append(runners, r)
	}
	h.mu.Unlock()
	list := make([]cluster.InstanceStatus, 0, len(runners))
	for _, r := range runners {
		list = append(list, r.status())
	}
	slices.SortFunc(list, func(a, b cluster.InstanceStatus) int { return cmp.Compare(a.ID, b.ID) })
	return list
}
