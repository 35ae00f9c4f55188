package pacemaker

import (
	"context"

	"aorta/pacemaker/cluster"
)

// ChangeRequestLimits changes what a request to an app may take at the routers.
func (p *Pacemaker) ChangeRequestLimits(ctx context.Context, app cluster.App, change cluster.RequestLimitsChange, user string) (cluster.RequestLimits, error) {
	limits, err := p.store.ChangeRequestLimits(ctx, app, change, user)
	if err != nil {
		return limits, err
	}
	p.publishSoon(ctx)
	return limits, nil
}
