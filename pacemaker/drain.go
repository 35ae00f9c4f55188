package pacemaker

import (
	"context"
	"fmt"

	"aorta/internal/duration"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// drain waits until no router sends the instance anything and no request is in
// flight there, or until the limit has passed.
func (p *Pacemaker) drain(ctx context.Context, r *jobs.Run) (any, error) {
	var args cluster.InstanceArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	if _, err := p.publish.Sync(ctx); err != nil {
		return nil, fmt.Errorf("publish the routes without it: %w", err)
	}
	var inflight int64
	err := p.changed.Until(ctx, func() (bool, error) {
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
		inflight = p.Routers.Inflight(in.ID, nodes)
		return inflight == 0 || in.DrainingAt == nil || p.cfg.Now().Sub(*in.DrainingAt) >= p.cfg.DrainLimit, nil
	})
	if err != nil {
		return nil, fmt.Errorf("drain: %w", err)
	}
	if inflight > 0 {
		r.Log(fmt.Sprintf("%d requests were still in flight after %s", inflight, duration.Text(p.cfg.DrainLimit)))
	}
	return nil, nil
}
