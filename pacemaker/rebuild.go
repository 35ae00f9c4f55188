package pacemaker

import (
	"context"
	"fmt"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// startWaiting starts what an operation wants on a node and what waited there for
// its image, which has been built again. The node's heart asked for this job;
// the operation is that of its tree, whatever else a node may say.
func (p *Pacemaker) startWaiting(ctx context.Context, r *jobs.Run) (any, error) {
	var args cluster.NodeArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	w, err := p.work(ctx, cluster.ID(r.TreeID()))
	if err != nil {
		return nil, err
	}
	if err := p.setTarget(ctx, &w); err != nil {
		return nil, err
	}
	mine, err := p.store.InstancesByOperation(ctx, w.op.ID)
	if err != nil {
		return nil, err
	}
	var waiting []cluster.Instance
	for _, in := range mine {
		if in.NodeID == args.Node && in.State.Wanted() {
			waiting = append(waiting, in)
		}
	}
	if len(waiting) == 0 {
		return nil, nil
	}
	specs, err := p.starts(ctx, r.Subject(), w, waiting, true)
	if err != nil {
		return nil, err
	}
	return nil, r.Graft(specs...)
}

// Rebuild has the image of a release (0: of the one that serves) built again, or
// pulled again, if the builder's engine does not have it. Nothing is restarted.
func (p *Pacemaker) Rebuild(ctx context.Context, app cluster.App, number int, user string) (cluster.Operation, error) {
	release, err := p.releaseOrCurrent(ctx, app, number)
	if err != nil {
		return cluster.Operation{}, err
	}
	args := cluster.Request{Build: release.BuildID}
	return p.begin(ctx, cluster.Operation{
		Kind: cluster.OpRebuild, AppID: app.ID, User: user, Args: args.Encode(),
		Title: fmt.Sprintf("Build %s of %s again", release.Label(), app.Name),
	})
}

func (p *Pacemaker) releaseOrCurrent(ctx context.Context, app cluster.App, number int) (cluster.Release, error) {
	if number != 0 {
		return p.store.ReleaseByNumber(ctx, app, number)
	}
	release, err := p.currentRelease(ctx, app)
	if err == nil && release.ID == "" {
		err = cluster.Conflict("app %q has no release that serves (name one: aorta builds rebuild vN; deploy it first: git push aorta main)", app.Name)
	}
	return release, err
}
