package pacemaker

import (
	"context"
	"fmt"
	"slices"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/plan"
	"aorta/pacemaker/store"
)

// makeRelease turns a ready build into the app's next release.
func (p *Pacemaker) makeRelease(ctx context.Context, r *jobs.Run) (any, error) {
	w, err := p.workOf(ctx, r)
	if err != nil {
		return nil, err
	}
	source, err := p.sourceOf(ctx, w)
	if err != nil {
		return nil, err
	}
	build, err := p.store.Build(ctx, source.Build)
	if err != nil {
		return nil, err
	}
	if build.State != cluster.BuildReady {
		return nil, jobs.Permanent(fmt.Errorf("the build is %s, not ready: %s", build.State, build.Error))
	}
	if err := plan.CheckAlone(w.app.Name, build.Processes, w.asked); err != nil {
		return nil, jobs.Permanent(err)
	}
	wishes, said, err := p.wishesOf(ctx, w, build)
	if err != nil {
		return nil, err
	}
	if w.args.Ref != "" {
		// Refused now, not once it serves.
		if _, err := p.Sources.MovesFrom(ctx, w.app.ID, w.args); err != nil {
			return nil, permanentIfRefused(err)
		}
	}
	if err := p.allowedHosts(ctx, w.app, wishes.Domains); err != nil {
		return nil, jobs.Permanent(fmt.Errorf("the domains of aorta.yml: %w", err))
	}
	release, err := p.store.CreateRelease(ctx, store.NewRelease{
		Operation: w.op, Build: build, Commit: source.Commit, Message: w.args.Message, Author: w.args.Author, Cause: w.args.Cause, Wishes: wishes,
	})
	if err != nil {
		return nil, permanentIfRefused(err)
	}
	r.Log("release " + release.Label())
	for _, line := range said {
		r.Log("notice: " + line)
	}
	return nil, nil
}

// sourceOf is what the release is made of: for a change of the config vars what
// serves when its turn has come, which an operation before it may have changed.
func (p *Pacemaker) sourceOf(ctx context.Context, w work) (cluster.Request, error) {
	if !w.args.Serving {
		return w.args, nil
	}
	current, err := p.currentRelease(ctx, w.app)
	if err != nil || current.ID == "" {
		return w.args, err
	}
	return cluster.Request{Build: current.BuildID, Commit: current.Commit}, nil
}

// wishesOf are what a release asks of its app, and what people are to know of what
// its source asks for and does not get. A rollback asks for the limits of requests
// again as they were; its hosts stay, since people may use them. An image asks for
// nothing, and a change of the config vars for nothing again.
func (p *Pacemaker) wishesOf(ctx context.Context, w work, build cluster.Build) (store.Wishes, []string, error) {
	deploy := w.op.Kind == cluster.OpDeploy
	if build.Kind == cluster.SourceImage || !deploy && !w.args.Rollback {
		return store.Wishes{}, nil, nil
	}
	former, err := p.store.FormerBuild(ctx, w.op)
	if err != nil {
		return store.Wishes{}, nil, err
	}
	change, said := plan.RouteOf(former.Route, build.Route, w.app.Requests)
	if !deploy {
		return store.Wishes{Route: change}, said, nil
	}
	gone, err := p.domainsGone(ctx, w.app, build)
	for _, host := range gone {
		said = append(said, fmt.Sprintf("aorta.yml has no domain %s any more: it goes", host))
	}
	return store.Wishes{Domains: build.Domains, NoDomains: gone, Route: change}, append(said, plan.Overruled(build.Processes, w.asked)...), err
}

// domainsGone are the hosts that a source asked for and this one does not.
func (p *Pacemaker) domainsGone(ctx context.Context, app cluster.App, build cluster.Build) (gone []string, err error) {
	has, err := p.store.Domains(ctx, app.ID)
	for _, d := range has {
		if d.OfSource && !slices.Contains(build.Domains, d.Host) {
			gone = append(gone, d.Host)
		}
	}
	return gone, err
}
