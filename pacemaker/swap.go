package pacemaker

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/plan"
)

// exclusive names the process types of which one instance runs at a time, by the release
// that is to run and by those of what is not gone.
func (p *Pacemaker) exclusive(ctx context.Context, w work) (map[string]bool, error) {
	list, err := p.store.Instances(ctx, w.app.ID)
	if err != nil {
		return nil, err
	}
	releases, err := p.store.LiveReleases(ctx)
	return plan.Exclusive(w.release, list, releases), err
}

// withSwap puts the start of what is exclusive behind the other starts, so that a release
// of which these fail interrupts nothing. A replacement has nothing to interrupt: there
// none waits for another one.
func withSwap(w work, subject jobs.Subject, starts []jobs.Spec, types []string) []jobs.Spec {
	b := treeBuilder{op: w.op, subject: subject}
	title := "Start " + strings.Join(types, " and ") + " once no other runs"
	swap := b.job(cluster.JobSwap, TurnQueue, title, cluster.SwapArgs{Operation: w.op.ID, Types: types})
	if w.op.Kind == cluster.OpReplace {
		return append(starts, swap)
	}
	swap.Children = starts
	return []jobs.Spec{swap}
}

// swapExclusive ends what there is of some exclusive process types, waits until it is
// gone, and starts what is to run in its place. Nothing ends before there is room.
func (p *Pacemaker) swapExclusive(ctx context.Context, r *jobs.Run) (any, error) {
	var args cluster.SwapArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	w, err := p.work(ctx, args.Operation)
	if err != nil {
		return nil, err
	}
	if err := p.setTarget(ctx, &w); err != nil {
		return nil, err
	}
	for _, typ := range args.Types { // what was exclusive may be gone by now
		w.target.Exclusive[typ] = true
	}
	list, err := p.store.Instances(ctx, w.app.ID)
	if err != nil {
		return nil, err
	}
	starts := plan.AtMost(plan.Starts(w.op.ID, w.target, list), w.args.AtMost)
	starts = slices.DeleteFunc(starts, func(s plan.Start) bool { return !slices.Contains(args.Types, s.Type) })
	if err := p.endForOthers(ctx, r, w, starts, list); err != nil {
		return nil, permanentIfRefused(err)
	}
	if err := p.assign(ctx, w, starts); err != nil {
		return nil, permanentIfRefused(err)
	}
	specs, err := p.startsOf(ctx, r, w, args.Types)
	if err != nil {
		return nil, err
	}
	return nil, graft(r, specs)
}

// endForOthers drains what is in the way of the starts, once there is room for these
// without it, and waits until it is gone.
func (p *Pacemaker) endForOthers(ctx context.Context, r *jobs.Run, w work, starts []plan.Start, list []cluster.Instance) error {
	types := typesOf(starts)
	way := w.target.InTheWay(w.op.ID, types, list)
	if len(way) == 0 {
		return nil
	}
	if err := p.refuseDoubt(ctx, w, types, list); err != nil {
		return err
	}
	if err := p.roomInPlace(ctx, w, starts, way); err != nil {
		return err
	}
	var ids []cluster.ID
	for _, in := range way {
		if in.State.Wanted() {
			ids = append(ids, in.ID)
			r.Log(fmt.Sprintf("%s is interrupted: it is exclusive, so %s ends before its successor starts", in.Type, in.Name()))
		}
	}
	if err := p.store.DrainFor(ctx, w.op.ID, ids); err != nil {
		return err
	}
	p.rerouted(w.app.ID)
	return p.awaitGone(ctx, r, w, types)
}

// roomInPlace finds out whether the starts find nodes once what is in their way is gone.
func (p *Pacemaker) roomInPlace(ctx context.Context, w work, starts []plan.Start, way []cluster.Instance) error {
	room, err := p.room(ctx, way...)
	if err != nil {
		return err
	}
	for _, s := range starts {
		if _, err := room.choose(w.app.ID, w.release, s.Type, w.asked, 1); err != nil {
			return fmt.Errorf("place %s: %w", s.Type, err)
		}
	}
	return nil
}

// awaitGone waits until nothing of some process types is left but what is the operation's
// own, and says for what.
func (p *Pacemaker) awaitGone(ctx context.Context, r *jobs.Run, w work, types []string) error {
	told := ""
	return p.changed.Until(ctx, func() (bool, error) {
		list, err := p.store.Instances(ctx, w.app.ID)
		if err != nil {
			return false, err
		}
		away, err := p.away(ctx)
		if err != nil {
			return false, err
		}
		w.target.Lost, w.target.Dead, w.target.Silence = away.lost, away.dead, away.silence
		if err := p.refuseDoubt(ctx, w, types, list); err != nil {
			return false, err
		}
		way := w.target.InTheWay(w.op.ID, types, list)
		if text := namesOf(way); text != told && text != "" {
			told = text
			r.Progress(0, 0, "for "+text+" to be gone")
		}
		return len(way) == 0, nil
	})
}

// refuseDoubt is a conflict while something of the process types is on a node that is lost
// and of which nobody has said that it is dead.
func (p *Pacemaker) refuseDoubt(ctx context.Context, w work, types []string, list []cluster.Instance) error {
	for _, in := range w.target.InTheWay(w.op.ID, types, list) {
		if !w.target.Lost[in.NodeID] {
			continue
		}
		node, err := p.store.Node(ctx, in.NodeID)
		if err != nil {
			return err
		}
		return cluster.Conflict("%s", cluster.MayStillRun(in, w.app.Name, node.Name))
	}
	return nil
}

func typesOf(starts []plan.Start) (types []string) {
	for _, s := range starts {
		if !slices.Contains(types, s.Type) {
			types = append(types, s.Type)
		}
	}
	return types
}

func namesOf(list []cluster.Instance) string {
	names := make([]string, len(list))
	for i, in := range list {
		names[i] = in.Name()
	}
	return named(names)
}
