package pacemaker

import (
	"context"
	"fmt"

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
	build, err := p.store.Build(ctx, w.args.Build)
	if err != nil {
		return nil, err
	}
	if build.State != cluster.BuildReady {
		return nil, jobs.Permanent(fmt.Errorf("the build is %s, not ready: %s", build.State, build.Error))
	}
	var domains []string
	var limits cluster.RequestLimitsChange
	var said []string
	if w.op.Kind == cluster.OpDeploy {
		domains = build.Domains
		if limits, said, err = p.routeOf(ctx, w, build); err != nil {
			return nil, err
		}
	}
	if w.args.Ref != "" {
		// Refused now, not once it serves.
		if _, err := p.Sources.MovesFrom(ctx, w.app.ID, w.args); err != nil {
			return nil, permanentIfRefused(err)
		}
	}
	if err := p.allowedHosts(w.app, domains); err != nil {
		return nil, jobs.Permanent(fmt.Errorf("the domains of aorta.yml: %w", err))
	}
	release, err := p.store.CreateRelease(ctx, store.NewRelease{
		Operation: w.op, Build: build, Commit: w.args.Commit, Message: w.args.Message, Author: w.args.Author, Cause: w.args.Cause, Domains: domains, Route: limits,
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

// routeOf is what a deploy changes of the app's limits of requests, and what people
// are to know of what its source asks for and does not get.
func (p *Pacemaker) routeOf(ctx context.Context, w work, build cluster.Build) (cluster.RequestLimitsChange, []string, error) {
	if build.Kind == cluster.SourceImage {
		return build.Route, nil, nil // without a file, nothing is missing in it
	}
	former, err := p.store.FormerBuild(ctx, build)
	change, said := plan.RouteOf(former.Route, build.Route, w.app.Requests)
	return change, append(said, plan.Overruled(build.Processes, w.asked)...), err
}
