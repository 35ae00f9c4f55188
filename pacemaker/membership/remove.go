package membership

import (
	"context"
	"fmt"

	"aorta/pacemaker/cluster"
)

// Remove takes a node out of the cluster at once: what ran there is no longer served
// and is started elsewhere, what is exclusive too, and what waits for it is aborted. It says what is left on
// the machine.
func (m *Membership) Remove(ctx context.Context, node cluster.Node, user string) (left []cluster.Instance, err error) {
	if node.Has(cluster.RolePacemaker) {
		return nil, cluster.Conflict("node %q is the pacemaker: it can't be removed from its own cluster", node.Name)
	}
	if left, err = m.cfg.Store.InstancesOn(ctx, node.ID); err != nil {
		return nil, err
	}
	if err := m.refuseExclusive(ctx, node, left); err != nil {
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

// refuseExclusive is a conflict while a node that is not dead may run what is exclusive:
// another one would start elsewhere at once, and this one end later.
func (m *Membership) refuseExclusive(ctx context.Context, node cluster.Node, list []cluster.Instance) error {
	if node.Lost() {
		return nil
	}
	releases, err := m.cfg.Store.LiveReleases(ctx)
	if err != nil {
		return err
	}
	for _, in := range list {
		if proc, is := releases[in.ReleaseID].Process(in.Type); is && proc.Exclusive {
			return cluster.Conflict("%s on node %q is exclusive, and would run twice for a while: empty the node first, aorta nodes drain %[3]s, or if its machine is off, aorta nodes declare-dead %[3]s", in.Name(), node.Name, node.Name)
		}
	}
	return nil
}
