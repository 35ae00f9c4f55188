package pacemaker

import (
	"context"
	"maps"
	"slices"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/plan"
	"aorta/pacemaker/store"
)

// begin writes an operation down and gets its tree planted.
func (p *Pacemaker) begin(ctx context.Context, op cluster.Operation, parts ...store.Part) (cluster.Operation, error) {
	if op.ID == "" {
		op.ID = cluster.NewID()
	}
	if err := p.store.Begin(ctx, op, parts...); err != nil {
		return cluster.Operation{}, err
	}
	p.announce(op.AppID)
	return op, nil
}

// beginOrJoin is begin of what one that waits for its turn may do as well: that one
// is given then.
func (p *Pacemaker) beginOrJoin(ctx context.Context, op cluster.Operation) (cluster.Operation, error) {
	op.ID = cluster.NewID()
	op, err := p.store.BeginOrJoin(ctx, op)
	if err != nil {
		return cluster.Operation{}, err
	}
	p.announce(op.AppID)
	return op, nil
}

// work is an operation with what it is about, read anew by each of its jobs.
type work struct {
	op      cluster.Operation
	args    cluster.Request
	app     cluster.App
	release cluster.Release // that is to run; zero when nothing is
	target  plan.Target
	asked   map[string]cluster.Formation
}

func (p *Pacemaker) work(ctx context.Context, id cluster.ID) (work, error) {
	op, err := p.store.Operation(ctx, id)
	if err != nil {
		return work{}, err
	}
	if err := op.StillOpen(); err != nil {
		return work{}, jobs.Permanent(err)
	}
	w := work{op: op}
	if w.args, err = op.Request(); err != nil {
		return work{}, err
	}
	if w.app, err = p.store.AppByID(ctx, op.AppID); err != nil {
		return work{}, err
	}
	if w.asked, err = p.store.FormationsFor(ctx, op.AppID, op.ID); err != nil {
		return work{}, err
	}
	return w, nil
}

// toReplace are the instances that give way to new ones of the operation.
func (p *Pacemaker) toReplace(ctx context.Context, w work) ([]cluster.ID, error) {
	if len(w.args.Relimited)+len(w.args.Retagged) == 0 {
		return w.args.Replace, nil
	}
	nodes, err := p.store.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	list, err := p.store.Instances(ctx, w.app.ID)
	others := slices.DeleteFunc(list, func(in cluster.Instance) bool { return in.Operation == w.op.ID })
	return giveWay(w.args, w.release, w.asked, others, nodes), err
}

// giveWay are the instances that give way to a change of the limits or of the tags of
// their process types.
func giveWay(args cluster.Request, release cluster.Release, asked map[string]cluster.Formation, list []cluster.Instance, nodes []cluster.Node) []cluster.ID {
	var ids []cluster.ID
	for _, in := range list {
		if in.State.Wanted() && slices.Contains(args.Relimited, in.Type) {
			ids = append(ids, in.ID)
		}
	}
	for _, in := range plan.Misplaced(release, asked, list, nodes) {
		if slices.Contains(args.Retagged, in.Type) && !slices.Contains(args.Relimited, in.Type) {
			ids = append(ids, in.ID)
		}
	}
	return ids
}

// setTarget finds the operation's release and how much of it is to run.
func (p *Pacemaker) setTarget(ctx context.Context, w *work) error {
	var err error
	switch w.op.Kind {
	case cluster.OpDeploy, cluster.OpRelease:
		w.release, err = p.store.ReleaseByOperation(ctx, w.op.ID)
	default:
		w.release, err = p.currentRelease(ctx, w.app)
	}
	if err != nil {
		return err
	}
	w.target = plan.Target{Release: w.release.ID, Want: map[string]int{}}
	if w.target.Replace, err = p.toReplace(ctx, *w); err != nil {
		return err
	}
	away, err := p.away(ctx)
	if err != nil {
		return err
	}
	w.target.Lost, w.target.Held, w.target.Dead, w.target.Silence = away.lost, away.held, away.dead, away.silence
	if w.target.Exclusive, err = p.exclusive(ctx, *w); err != nil {
		return err
	}
	stays := w.app.Stopped && !w.args.Revive
	if w.op.Kind != cluster.OpStop && w.op.Kind != cluster.OpDestroy && !stays {
		w.target.Want = plan.Want(w.release, w.asked)
	}
	if len(w.args.Types) > 0 {
		maps.DeleteFunc(w.target.Want, func(typ string, _ int) bool { return !slices.Contains(w.args.Types, typ) })
	}
	return nil
}

// currentRelease is the release that serves: the one with the most weight.
// Without traffic it is the zero release.
func (p *Pacemaker) currentRelease(ctx context.Context, app cluster.App) (cluster.Release, error) {
	weights, err := p.store.Traffic(ctx, app.ID)
	if err != nil || len(weights) == 0 {
		return cluster.Release{}, err
	}
	return p.store.Release(ctx, plan.Serving(weights))
}
