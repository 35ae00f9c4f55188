package pacemaker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/overview"
	"aorta/pacemaker/place"
	"aorta/pacemaker/plan"
	"aorta/pacemaker/store"
)

const (
	// instanceFailures is how far back failed instances slow replacements down.
	instanceFailures = 10 * time.Minute
	// failedTries is how far back failed replacements do: for several of the
	// longest pauses.
	failedTries = time.Hour
)

// lack is an app that lacks instances and that no operation is changing.
type lack struct {
	store.Standing
	missing map[string]int // by process type
	with    string         // the dead node that had all of it; empty for none, or for several
}

// replaceMissing begins to start what apps lack, where there is room for it and
// it has not just failed. What has to wait is checked again in time.
func (p *Pacemaker) replaceMissing(ctx context.Context, c check, open []cluster.Operation) error {
	if !c.all && len(c.apps) == 0 {
		return nil
	}
	apps := c.apps
	if c.all {
		apps = nil
	}
	list, err := p.store.Standings(ctx, apps)
	if err != nil {
		return err
	}
	away, err := p.away(ctx)
	if err != nil {
		return err
	}
	busy := busyWith(open)
	list = running(list, busy)
	if err := p.drainSurplus(ctx, list, away); err != nil {
		return err
	}
	wait := map[cluster.ID]waiting{}
	lacks := lacking(list, away)
	moves := toMove(list, lacks, away)
	if len(lacks)+len(moves) > 0 {
		if wait, err = p.fill(ctx, lacks, moves, away, open); err != nil {
			return err
		}
	}
	p.missing.checked(c, wait, busy, p.cfg.Now())
	return nil
}

// busyWith are the apps that one of some operations is at work on.
func busyWith(open []cluster.Operation) map[cluster.ID]bool {
	busy := map[cluster.ID]bool{}
	for _, op := range open {
		busy[op.AppID] = busy[op.AppID] || op.Changing() || op.Kind == cluster.OpReplace
	}
	return busy
}

// running leaves the apps that are to run and that no operation is at work on. The end
// of one has its app checked again.
func running(list []store.Standing, busy map[cluster.ID]bool) []store.Standing {
	return slices.DeleteFunc(list, func(s store.Standing) bool {
		return busy[s.App.ID] || s.App.Stopped || s.App.Destroying || s.Release.ID == ""
	})
}

// lacking finds the apps that lack something: first those of which nothing runs.
func lacking(list []store.Standing, away away) []lack {
	var down, others []lack
	for _, s := range list {
		m := plan.Missing(away.target(s), s.Instances)
		switch {
		case len(m) == 0:
		case slices.ContainsFunc(s.Instances, func(in cluster.Instance) bool { return in.State == cluster.InstanceRunning && !away.lost[in.NodeID] }):
			others = append(others, lack{s, m, lostWith(s, m, away)})
		default:
			down = append(down, lack{s, m, lostWith(s, m, away)})
		}
	}
	return append(down, others...)
}

// replacingApps is how many apps, for each node that takes instances, have something
// replaced at a time: a lost node's instances come back in an order, not all at once.
const replacingApps = 4

// fill begins what apps lack and what of them is to run elsewhere, and gives the apps of
// which something waits.
func (p *Pacemaker) fill(ctx context.Context, lacks []lack, moves []moving, away away, open []cluster.Operation) (map[cluster.ID]waiting, error) {
	room, err := p.room(ctx)
	if err != nil {
		return nil, err
	}
	free := replacingApps*max(1, room.takers()) - replacing(open) // with no node that takes any, each is still told why
	wait, free, err := p.replace(ctx, lacks, room, free)
	if err != nil || len(moves) == 0 {
		return wait, err
	}
	stay, err := p.move(ctx, moves, room, away, free, open)
	maps.Copy(wait, stay)
	return wait, err
}

// replace begins replacements, of so many apps, and gives the apps of which something
// waits, and how many more there may be.
func (p *Pacemaker) replace(ctx context.Context, lacks []lack, room *room, free int) (map[cluster.ID]waiting, int, error) {
	now, wait := p.cfg.Now(), map[cluster.ID]waiting{}
	if len(lacks) == 0 {
		return wait, free, nil
	}
	pauses, err := p.pauses(ctx, lacks)
	if err != nil {
		return nil, 0, err
	}
	for _, l := range lacks {
		if free <= 0 {
			wait[l.App.ID] = waiting{until: now}
			continue
		}
		counts, w := startable(l, pauses, room, now)
		if !w.until.IsZero() {
			wait[l.App.ID] = w
		}
		if err := p.beginReplace(ctx, l, counts); err != nil {
			return nil, 0, fmt.Errorf("replace instances of %s: %w", l.App.Name, err)
		}
		free -= min(1, len(counts))
	}
	return wait, free, nil
}

// replacing counts the replacements that are under way.
func replacing(open []cluster.Operation) int {
	n := 0
	for _, op := range open {
		if op.Kind == cluster.OpReplace {
			n++
		}
	}
	return n
}

// startable is how many of each process type can be started now: one that keeps
// failing, or finds no node, holds up no other.
func startable(l lack, pauses map[plan.TypeOf]time.Time, room *room, now time.Time) (counts map[string]int, w waiting) {
	counts = map[string]int{}
	for _, typ := range slices.Sorted(maps.Keys(l.missing)) {
		if until := pauses[plan.TypeOf{App: l.App.ID, Type: typ}]; now.Before(until) {
			w.until, w.pause = sooner(w.until, until), sooner(w.pause, until)
			continue
		}
		count := l.missing[typ]
		_, err := room.choose(l.App.ID, l.Release, typ, l.Asked, count)
		var full *place.NoRoom
		if errors.As(err, &full) {
			count = full.Placed
			_, _ = room.choose(l.App.ID, l.Release, typ, l.Asked, count) // so that no other app is promised the same
			w.until = sooner(w.until, now.Add(reconcileEvery))
			w.noRoom = append(w.noRoom, overview.NoRoom{Type: typ, Count: full.Count - full.Placed, Reason: full.Reasons(), Next: full.Remedy().Text(l.App.Name, typ)})
		}
		if count > 0 {
			counts[typ] = count
		}
	}
	return counts, w
}

// sooner is the earlier of two times, of which the first may be none.
func sooner(known, other time.Time) time.Time {
	if known.IsZero() || other.Before(known) {
		return other
	}
	return known
}

func (p *Pacemaker) beginReplace(ctx context.Context, l lack, counts map[string]int) error {
	if len(counts) == 0 {
		return nil
	}
	types, total := slices.Sorted(maps.Keys(counts)), 0
	for _, n := range counts {
		total += n
	}
	reason, err := p.reasonToReplace(ctx, l, types)
	if err != nil {
		return err
	}
	return p.beginUnasked(ctx, cluster.Operation{
		Kind: cluster.OpReplace, AppID: l.App.ID, Args: cluster.Request{Types: types, AtMost: counts, Reason: reason}.Encode(),
		Title: l.title(total),
	})
}

// title names the node with which the instances were lost.
func (l lack) title(count int) string {
	title := fmt.Sprintf("Replace %s of %s", counted(count, "missing instance"), l.App.Name)
	if l.with != "" {
		title += ", lost with " + l.with
	}
	return title
}

// beginUnasked begins what nobody asked for, unless somebody has asked for something of
// the app meanwhile, whose end has the app checked again.
func (p *Pacemaker) beginUnasked(ctx context.Context, op cluster.Operation) error {
	_, err := p.begin(ctx, op, store.IfUnchanging())
	if cluster.CodeOf(err) == cluster.CodeConflict {
		return nil
	}
	return err
}

// reasonToReplace says which instance failed last, where and why; nothing where
// none has, as when the app was to have more.
func (p *Pacemaker) reasonToReplace(ctx context.Context, l lack, types []string) (string, error) {
	if l.with != "" { // an instance that failed at some time before is no reason
		return l.with + " is dead", nil
	}
	in, err := p.store.LastFailed(ctx, l.App.ID, types)
	if err != nil || in.ID == "" {
		return "", err
	}
	node, err := p.store.Node(ctx, in.NodeID)
	if err != nil && cluster.CodeOf(err) != cluster.CodeNotFound {
		return "", err
	}
	what := in.Name()
	if node.Name != "" {
		what += " on " + node.Name
	}
	return what + ": " + cmp.Or(in.Error, "it ended"), nil
}

// pauses says until when each process type that lacks something has to wait,
// because its instances or its replacements have failed recently. All of it is
// in SQL, so that a restart forgets no pause.
func (p *Pacemaker) pauses(ctx context.Context, lacks []lack) (map[plan.TypeOf]time.Time, error) {
	now := p.cfg.Now()
	var types []plan.TypeOf
	var releases []cluster.ID
	apps := map[cluster.ID]cluster.ID{} // by release
	for _, l := range lacks {
		releases, apps[l.Release.ID] = append(releases, l.Release.ID), l.App.ID
		for typ := range l.missing {
			types = append(types, plan.TypeOf{App: l.App.ID, Type: typ})
		}
	}
	until := map[plan.TypeOf]time.Time{}
	later := func(t plan.TypeOf, failures int, last time.Time) {
		if end := last.Add(plan.Pause(failures)); end.After(until[t]) {
			until[t] = end
		}
	}
	failed, err := p.store.FailuresSince(ctx, releases, now.Add(-instanceFailures))
	if err != nil {
		return nil, err
	}
	for _, f := range failed {
		later(plan.TypeOf{App: apps[f.Release], Type: f.Type}, f.Count, f.Last)
	}
	ops, err := p.store.Operations(ctx, store.OperationQuery{Since: now.Add(-failedTries), Limit: -1})
	if err != nil {
		return nil, err
	}
	tries, err := plan.FailedTries(ops, types)
	for t, sum := range tries {
		later(t, sum.Failed, sum.Last)
	}
	return until, err
}
