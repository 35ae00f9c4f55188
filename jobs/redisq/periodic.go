package redisq

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"aorta/jobs"
)

// readSlots learns which slots had their trees.
func (l *loop) readSlots(ctx context.Context) error {
	fields, err := l.rdb.HGetAll(ctx, keyPeriodic).Result()
	if err != nil {
		return fmt.Errorf("read the slots of periodic trees: %w", err)
	}
	clear(l.slots)
	for name, text := range fields {
		if s, err := strconv.ParseInt(text, 10, 64); err == nil {
			l.slots[name] = time.Unix(s, 0).UTC()
		}
	}
	return nil
}

// untilSlot is the time until the next periodic tree is due, an hour at most:
// clocks are set.
func (l *loop) untilSlot(now time.Time) time.Duration {
	next := time.Hour
	for _, p := range l.opt.Periodic {
		at := p.Slot(now)
		if l.slots[p.Name].Before(at) {
			return 0
		}
		next = min(next, at.Add(p.Every).Sub(now))
	}
	return next
}

// addSlots adds the trees whose slot has come and notes the slots: in one pass,
// so that no tree can have ended before its slot is noted.
func (p *pass) addSlots() {
	for _, per := range p.opt.Periodic {
		slot, last := per.Slot(p.now), p.slots[per.Name]
		if !last.Before(slot) {
			continue
		}
		p.noted[per.Name] = slot
		if !last.IsZero() && p.isOpen(per.Make(last).ID) {
			p.opt.Log.Info("a periodic tree is left out: the one before is not done", "name", per.Name, "slot", slot)
			continue
		}
		spec := per.Make(slot)
		err := spec.Validate()
		if err == nil {
			err = p.add(spec, "")
		}
		if err != nil {
			p.opt.Log.Error("a periodic tree can't be added", "name", per.Name, "slot", slot, "error", err)
		}
	}
}

func (p *pass) isOpen(tree string) bool {
	t := p.trees[tree]
	return t != nil && !t.State.Ended()
}

// add makes a validated tree part of the pass, unless it is there.
func (p *pass) add(root jobs.Spec, operation string) error {
	if p.trees[root.ID] != nil || p.fresh[root.ID] != nil {
		return nil
	}
	t, err := jobs.New(root, operation, p.now)
	if err != nil {
		return err
	}
	for id := range t.Jobs {
		if at, taken := p.locations.find(id); taken {
			return fmt.Errorf("%w %q: tree %s has a job of this id", jobs.ErrInvalid, id, at.tree)
		}
	}
	nt := &tree{Tree: t}
	p.fresh[t.ID], p.touched[t.ID] = nt, nt
	return nil
}

func formatUnix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
