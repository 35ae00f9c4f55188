package pacemaker

import (
	"context"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/plan"
)

// ChangeRequestLimits changes what a request to an app may take at the routers. A
// zero value takes back what was set: what the source asks for is there again, or
// the default.
func (p *Pacemaker) ChangeRequestLimits(ctx context.Context, app cluster.App, change cluster.RequestLimitsChange, user string) (cluster.RequestLimits, error) {
	source, err := p.sourceRoute(ctx, app)
	if err != nil {
		return cluster.RequestLimits{}, err
	}
	limits, err := p.store.ChangeRequestLimits(ctx, app, plan.RouteBack(change, source), user)
	if err != nil {
		return limits, err
	}
	p.publishSoon(ctx)
	return limits, nil
}

// RequestLimitsOfSource names those of the limits that are as the source asks for.
func (p *Pacemaker) RequestLimitsOfSource(ctx context.Context, app cluster.App, have cluster.RequestLimits) ([]string, error) {
	source, err := p.sourceRoute(ctx, app)
	return plan.RouteSource(source, have), err
}

// sourceRoute is what the source that was deployed last asks for.
func (p *Pacemaker) sourceRoute(ctx context.Context, app cluster.App) (cluster.RequestLimitsChange, error) {
	build, err := p.store.FormerBuild(ctx, cluster.Operation{AppID: app.ID})
	return build.Route, err
}
