package pacemaker

import (
	"context"
	"fmt"
	"os"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// Handlers are the kinds of job that a pacemaker works on. Each may run again
// after a crash and then finds what it has done already.
func (p *Pacemaker) Handlers() map[string]jobs.Handler {
	return map[string]jobs.Handler{
		cluster.JobRelease: p.makeRelease,
		cluster.JobPlace:   p.placeInstances,
		cluster.JobPublish: p.publishRoutes,
		cluster.JobDeploy:  p.finishRollout,
		cluster.JobDestroy: p.finishDestroy,
		cluster.JobDrain:   p.drain,
		cluster.JobTidy:    p.tidy,
		cluster.JobPrune:   p.prune,
		cluster.JobFinish:  func(context.Context, *jobs.Run) (any, error) { return nil, nil },
	}
}

func (p *Pacemaker) workOf(ctx context.Context, r *jobs.Run) (work, error) {
	var args cluster.OperationArgs
	if err := r.Args(&args); err != nil {
		return work{}, err
	}
	return p.work(ctx, args.Operation)
}

// makeRelease turns a ready build into the app's next release.
func (p *Pacemaker) makeRelease(ctx context.Context, r *jobs.Run) (any, error) {
	w, err := p.workOf(ctx, r)
	if err != nil {
		return nil, err
	}
	build, err := p.store.Build(ctx, w.args.Build)
	if err != nil {
		return nil, err
	}
	if build.State != cluster.BuildReady {
		return nil, jobs.Permanent(fmt.Errorf("the build is %s, not ready: %s", build.State, build.Error))
	}
	domains := build.Domains
	if w.op.Kind != cluster.OpDeploy {
		domains = nil
	}
	if w.args.Ref != "" {
		// Refused now, not once it serves.
		if _, err := p.movesFrom(ctx, w.app.ID, w.args); err != nil {
			return nil, permanentIfRefused(err)
		}
	}
	if err := p.allowedHosts(w.app, domains); err != nil {
		return nil, jobs.Permanent(fmt.Errorf("the domains of aorta.yml: %w", err))
	}
	release, err := p.store.CreateRelease(ctx, store.NewRelease{
		Operation: w.op, Build: build, Commit: w.args.Commit, Message: w.args.Message, Cause: w.args.Cause, Domains: domains,
	})
	if err != nil {
		return nil, permanentIfRefused(err)
	}
	r.Log("release " + release.Label())
	return nil, nil
}

// permanentIfRefused spares the retries for what no retry mends.
func permanentIfRefused(err error) error {
	switch cluster.CodeOf(err) {
	case cluster.CodeInvalid, cluster.CodeConflict, cluster.CodeForbidden, cluster.CodeNotFound:
		return jobs.Permanent(err)
	}
	return err
}

// publishRoutes waits until what the operation started runs, moves the traffic
// and waits for every router to answer by it.
func (p *Pacemaker) publishRoutes(ctx context.Context, r *jobs.Run) (any, error) {
	w, err := p.workOf(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := p.aim(ctx, &w); err != nil {
		return nil, err
	}
	if err := p.awaitRunning(ctx, w.op.ID); err != nil {
		return nil, err
	}
	promotion, err := p.promotion(ctx, w)
	if err != nil {
		return nil, err
	}
	if err := p.store.Promote(ctx, promotion); err != nil {
		return nil, err
	}
	pair, err := p.publish.Sync(ctx)
	if err != nil {
		return nil, fmt.Errorf("publish the routes: %w", err)
	}
	r.Log("routes published, waiting for the routers")
	if err := p.waitAcks(ctx, pair, r.Log); err != nil {
		return nil, err
	}
	r.Log("every router answers by generation " + pair.String())
	return nil, nil
}

// awaitRunning waits until all that the operation started is reported running.
// Their start jobs have succeeded by now, so a report is on its way.
func (p *Pacemaker) awaitRunning(ctx context.Context, op cluster.ID) error {
	return p.bell.until(ctx, func() (bool, error) {
		list, err := p.store.InstancesByOperation(ctx, op)
		if err != nil {
			return false, err
		}
		for _, in := range list {
			switch {
			case in.State.Ended():
				return false, jobs.Permanent(fmt.Errorf("instance %s ended before it served: %s", instanceName(in), in.Error))
			case in.State.Wanted() && in.State != cluster.InstanceRunning:
				return false, nil
			}
		}
		return true, nil
	})
}

func (p *Pacemaker) promotion(ctx context.Context, w work) (store.Promotion, error) {
	list, err := p.store.Instances(ctx, w.app.ID)
	if err != nil {
		return store.Promotion{}, err
	}
	promotion := store.Promotion{App: w.app.ID, Drain: planDrains(w, list)}
	switch w.op.Kind {
	case cluster.OpDeploy, cluster.OpRelease:
		promotion.Release = w.release.ID
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
	if w.args.Ref == "" {
		return nil, nil
	}
	old, err := p.movesFrom(ctx, w.app.ID, w.args)
	if err == nil {
		err = p.repo(w.app.ID).MoveRef(ctx, w.args.Ref, old, w.args.Commit)
	}
	return nil, permanentIfRefused(err)
}

// finishDestroy removes the app and all that others keep of it. Its instances
// are out of the routes and drain on their own.
func (p *Pacemaker) finishDestroy(ctx context.Context, r *jobs.Run) (any, error) {
	var args cluster.OperationArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	op, err := p.store.Operation(ctx, args.Operation)
	if err != nil {
		return nil, err
	}
	kept, err := p.store.SourceKeepers(ctx, op.AppID)
	if err != nil {
		return nil, err
	}
	for _, deploy := range kept {
		if err := p.dropArchive(deploy); err != nil {
			return nil, err
		}
	}
	if err := os.RemoveAll(p.repo(op.AppID).Dir); err != nil {
		return nil, fmt.Errorf("remove the app's repository: %w", err)
	}
	for _, data := range p.forget {
		if err := data.Forget(ctx, op.AppID); err != nil {
			return nil, err
		}
	}
	return nil, p.store.DeleteApp(ctx, op.AppID)
}

// drain waits until no router sends the instance anything and no request is in
// flight there, or until the drain has had its time.
func (p *Pacemaker) drain(ctx context.Context, r *jobs.Run) (any, error) {
	var args cluster.InstanceArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	if _, err := p.publish.Sync(ctx); err != nil {
		return nil, fmt.Errorf("publish the routes without it: %w", err)
	}
	var inflight int64
	err := p.bell.until(ctx, func() (bool, error) {
		in, err := p.store.Instance(ctx, args.Instance)
		if err != nil {
			return false, err
		}
		if in.GoneAt != nil || in.Port == 0 {
			return true, nil
		}
		nodes, err := p.store.Nodes(ctx)
		if err != nil || p.publish.Routed(in.ID, nodes) {
			return false, err
		}
		inflight = p.routers.inflight(in.ID, nodes)
		return inflight == 0 || in.DrainingAt == nil || p.cfg.Now().Sub(*in.DrainingAt) >= p.cfg.DrainLimit, nil
	})
	if err != nil {
		return nil, fmt.Errorf("drain: %w", err)
	}
	if inflight > 0 {
		r.Log(fmt.Sprintf("%d requests were still in flight after %s", inflight, p.cfg.DrainLimit))
	}
	return nil, nil
}
