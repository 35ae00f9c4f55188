package redisconn

import (
	"context"
	"slices"

	"aorta/jobs"
	"aorta/jobs/redisq"
	"aorta/pacemaker/cluster"
)

// hoardStep is by how much what the servers hold grows until it is looked who did that.
const hoardStep = 32 << 20

// takeBack deletes what nodes have written beyond what they may have: a node that is
// not to be believed fills the server for all.
func (r *Redis) takeBack(ctx context.Context, used int64) error {
	if used < r.looked+hoardStep {
		r.looked = min(r.looked, used)
		return nil
	}
	nodes, err := r.opt.Nodes(ctx)
	if err != nil {
		return err
	}
	client, err := r.current()
	if err != nil {
		return err
	}
	for _, q := range queuesOf(nodes) {
		taken, err := redisq.TakeBack(ctx, client, q)
		if err != nil {
			return explain(r.opt.Name, err)
		}
		if taken > 0 {
			r.opt.Log.Warn("a node has filled the jobs Redis, and what it wrote is deleted; if that goes on, remove the node", "queue", q.Owner, "bytes", taken)
		}
	}
	r.looked = used
	return nil
}

// queuesOf are those that workers outside the pacemaker write to.
func queuesOf(nodes []cluster.Node) []jobs.Queue {
	var queues []jobs.Queue
	for _, n := range nodes {
		queues = append(queues, jobs.NodeQueue(string(n.ID)))
	}
	if slices.ContainsFunc(nodes, func(n cluster.Node) bool { return n.Has(cluster.RoleBuilder) }) {
		queues = append(queues, jobs.RoleQueue(string(cluster.RoleBuilder)))
	}
	return queues
}
