package main

import (
	"context"

	"aorta/heart/collect"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// openCollector reports the images of the node's engine, and removes on demand
// those that nothing needs.
func (n *node) openCollector() {
	c := &collect.Collector{Engine: n.engine, Pace: n.client, Transfers: n.carrier.Proxy.Address() + "/", Log: n.d.log}
	n.d.loop("images", c.Run)
	n.handlers[cluster.JobImagePrune] = func(ctx context.Context, r *jobs.Run) (any, error) { return c.Prune(ctx, r) }
}
