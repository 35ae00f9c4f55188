package pacemaker

import (
	"context"
	"fmt"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/plan"
	"aorta/pacemaker/store"
)

// publishRoutes waits until what the operation started runs, moves the traffic
// and waits for every router to answer by it.
func (p *Pacemaker) publishRoutes(ctx context.Context, r *jobs.Run) (any, error) {
	w, err := p.workOf(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := p.setTarget(ctx, &w); err != nil {
		return nil, err
	}
	if err := p.awaitRunning(ctx, w.op); err != nil {
		return nil, err
	}
	promotion, err := p.promotion(ctx, w)
	if err != nil {
		return nil, err
	}
	if err := p.store.Promote(ctx, promotion); err != nil {
		return nil, permanentIfRefused(err)
	}
	pair, err := p.publish.Sync(ctx)
	if err != nil {
		return nil, fmt.Errorf("publish the routes: %w", err)
	}
	r.Log("routes published, waiting for the routers")
	if err := p.Routers.AwaitAcks(ctx, pair, r.Log); err != nil {
		return nil, err
	}
	r.Log("every router answers by generation " + pair.String())
	return nil, nil
}

// awaitRunning waits until all that the operation started is reported running. Their
// start jobs have succeeded by now, so a report is on its way.
func (p *Pacemaker) awaitRunning(ctx context.Context, op cluster.Operation) error {
	return p.changed.Until(ctx, func() (bool, error) { return p.allRun(ctx, op) })
}

// allRun says that all that an operation started runs. Another one is placed instead of
// what is on a node that died, unless what the operation brings serves already: then it
// is replaced afterwards.
func (p *Pacemaker) allRun(ctx context.Context, op cluster.Operation) (bool, error) {
	list, err := p.store.InstancesByOperation(ctx, op.ID)
	if err != nil {
		return false, err
	}
	away, err := p.away(ctx)
	if err != nil {
		return false, err
	}
	for _, in := range list {
		switch {
		case in.State.Ended() && in.DrainingAt == nil:
			return false, jobs.Permanent(fmt.Errorf("instance %s ended before it served: %s", in.Name(), in.Error))
		case in.State.Wanted() && (in.State != cluster.InstanceRunning || away.lost[in.NodeID] && !op.Promoted):
			return false, nil
		}
	}
	return true, nil
}

func (p *Pacemaker) promotion(ctx context.Context, w work) (store.Promotion, error) {
	list, err := p.store.Instances(ctx, w.app.ID)
	if err != nil {
		return store.Promotion{}, err
	}
	promotion := store.Promotion{App: w.app.ID, Cause: w.op.ID, User: w.op.User, Drain: plan.Drains(w.op.ID, w.target, list)}
	switch w.op.Kind {
	case cluster.OpDeploy, cluster.OpRelease:
		build, err := p.store.Build(ctx, w.release.BuildID)
		if err != nil {
			return promotion, err
		}
		promotion.Release = w.release.ID
		if promotion.Wishes, _, err = p.wishesOf(ctx, w, build); err != nil {
			return promotion, err
		}
	case cluster.OpStop:
		stopped := true
		promotion.Stopped = &stopped
	}
	if w.args.Revive {
		stopped := false
		promotion.Stopped = &stopped
	}
	return promotion, nil
}

// finishRollout ends what the pusher waits for: the release serves, so the ref
// may move.
func (p *Pacemaker) finishRollout(ctx context.Context, r *jobs.Run) (any, error) {
	w, err := p.workOf(ctx, r)
	if err != nil {
		return nil, err
	}
	if w.args.Rollback {
		line, err := p.moveBranchBack(ctx, w.op, w.args)
		if line != "" {
			r.Log(line)
		}
		return nil, err
	}
	if w.args.Ref == "" {
		return nil, nil
	}
	return nil, permanentIfRefused(p.Sources.MoveForward(ctx, w.app.ID, w.args))
}
