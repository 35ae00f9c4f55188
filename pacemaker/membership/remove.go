package membership

import (
	"context"
	"fmt"

	"aorta/pacemaker/cluster"
)

// Remove takes a node out of the cluster at once: what ran there is no longer served
// and is started elsewhere, and what waits for it is aborted. It says what is left on
// the machine.
func (m *Membership) Remove(ctx context.Context, node cluster.Node, user string) (left []cluster.Instance, err error) {
	if node.Has(cluster.RolePacemaker) {
		return nil, cluster.Conflict("node %q is the pacemaker: it can't be removed from its own cluster", node.Name)
	}
	if left, err = m.cfg.Store.InstancesOn(ctx, node.ID); err != nil {
		return nil, err
	}
	waiting, err := m.cfg.Waiting(ctx, node)
	if err != nil {
		return nil, err
	}
	apps, err := m.cfg.Store.RemoveNode(ctx, node, user)
	if err != nil {
		return nil, err
	}
	m.cfg.Nodes.Forget(node.ID)
	m.cfg.Log.Info("a node was removed", "node", node.Name, "instances", len(left))
	for _, op := range waiting {
		if err := m.cfg.Abort(ctx, op, fmt.Sprintf("node %s was removed from the cluster", node.Name)); err != nil {
			m.cfg.Log.Warn("what waits for a removed node could not be aborted", "operation", op.ID, "err", err)
		}
	}
	m.cfg.Changed(apps...)
	return left, m.cfg.Removed(ctx, node)
}
