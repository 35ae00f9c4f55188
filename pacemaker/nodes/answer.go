package nodes

import (
	"context"

	"aorta/pacemaker/cluster"
)

// answer compares what the node has with what is wanted there, and the neighbours that
// it knows, by their digest, with those that it has.
func (n *Nodes) answer(ctx context.Context, node cluster.Node, have []cluster.InstanceStatus, knows string) (cluster.ReportAnswer, error) {
	all, err := n.members.now(ctx)
	if err != nil {
		return cluster.ReportAnswer{}, err
	}
	revision, there := all.revisions[node.ID]
	if !there {
		return cluster.ReportAnswer{}, cluster.NotFound("node %q was removed", node.Name)
	}
	list, err := n.assigned.to(ctx, node.ID)
	if err != nil {
		return cluster.ReportAnswer{}, err
	}
	a := cluster.ReportAnswer{Epoch: n.cfg.Epoch, Revision: revision, DeadAfter: n.cfg.DeadAfter}
	if all.neighbours.Digest != knows {
		a.Neighbours = &all.neighbours
	}
	statuses := make(map[cluster.ID]cluster.InstanceStatus, len(have))
	for _, st := range have {
		statuses[st.ID] = st
	}
	live := make(map[cluster.ID]bool, len(list))
	for _, in := range list {
		live[in.ID] = true
		_, there := statuses[in.ID]
		switch {
		case in.State.Wanted() && !there:
			a.Start = append(a.Start, in.ID)
		case there && !in.State.Wanted() && n.mayStop(in, all.list):
			a.Stop = append(a.Stop, in.ID)
		}
	}
	var others []cluster.ID
	for id, st := range statuses {
		switch {
		case live[id]:
		case st.Gone:
			a.Forget = append(a.Forget, id)
		default:
			others = append(others, id)
		}
	}
	// They count as gone and are there after all. What the database never knew is left
	// alone.
	gone, err := n.cfg.Store.KnownOn(ctx, node.ID, others)
	a.Stop = append(a.Stop, gone...)
	return a, err
}

// mayStop says that a report's answer may name the instance for stopping: no
// router sends it anything, and twice the drain limit has passed. A retire tree
// does it sooner; this is for one that was lost.
func (n *Nodes) mayStop(in cluster.Instance, nodes []cluster.Node) bool {
	if n.cfg.Routes.Routed(in.ID, nodes) {
		return false
	}
	return in.DrainingAt == nil || n.cfg.Now().Sub(*in.DrainingAt) > 2*n.cfg.DrainLimit
}
