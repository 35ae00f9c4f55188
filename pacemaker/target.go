package pacemaker

import (
	"context"
	"maps"
	"slices"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/plan"
)

// work is an operation with what it is about, read anew by each of its jobs.
type work struct {
	op      cluster.Operation
	args    opArgs
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
	w := work{op: op}
	if w.args, err = argsOf(op); err != nil {
		return work{}, err
	}
	if w.app, err = p.store.AppByID(ctx, op.AppID); err != nil {
		return work{}, err
	}
	if w.asked, err = p.store.Formations(ctx, op.AppID); err != nil {
		return work{}, err
	}
	return w, nil
}

// aim finds the operation's release and says what is to run of it.
func (p *Pacemaker) aim(ctx context.Context, w *work) error {
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
	w.target = plan.Target{Release: w.release.ID, Replace: w.args.Replace, Want: map[string]int{}}
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
	best := weights[0]
	for _, w := range weights[1:] {
		if w.Weight > best.Weight {
			best = w
		}
	}
	return p.store.Release(ctx, best.Release)
}
