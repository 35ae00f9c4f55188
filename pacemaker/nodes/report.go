package nodes

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"aorta/pacemaker/cluster"
)

// Report applies a node's report and answers what the node lacks and what it
// should stop.
func (n *Nodes) Report(ctx context.Context, node cluster.Node, r cluster.Report) (cluster.ReportAnswer, error) {
	if err := cluster.CheckEpoch("node "+node.Name, r.Epoch, n.cfg.Epoch); err != nil {
		n.cfg.Log.Error("a node has seen a higher epoch", "err", err)
		return cluster.ReportAnswer{}, err
	}
	if err := validReport(r); err != nil {
		return cluster.ReportAnswer{}, err
	}
	before, node, err := n.located(ctx, node, r.Places)
	if err != nil {
		return cluster.ReportAnswer{}, err
	}
	if err := checkAddresses(before.claims, node, r); err != nil {
		return cluster.ReportAnswer{}, err
	}
	have, sendFull, old, err := n.sessions.merge(node, r)
	if err != nil || old {
		return cluster.ReportAnswer{Epoch: n.cfg.Epoch, DeadAfter: n.cfg.DeadAfter}, err
	}
	n.accepted(node.ID)
	if err := n.useLease(ctx, node.ID, r.Session); err != nil {
		return cluster.ReportAnswer{}, err
	}
	place, err := n.judgePlace(ctx, before.claims, node, r, have)
	if err != nil {
		return cluster.ReportAnswer{}, err
	}
	now := node
	now.Address, now.Tags, now.Places = cmp.Or(place.address, node.Address), r.Tags, before.claims.Believed(node, r.Places)
	if err := n.update(ctx, node, now); err != nil {
		return cluster.ReportAnswer{}, err
	}
	if err := n.applyReport(ctx, node, r, place.instances); err != nil {
		return cluster.ReportAnswer{}, err
	}
	if err := n.welcomeBack(ctx, node); err != nil {
		return cluster.ReportAnswer{}, err
	}
	answer, err := n.answer(ctx, node, have, r.Neighbours)
	answer.SendFull, answer.Show = sendFull, place.show
	if len(answer.Show) > 0 {
		answer.ShowAt = n.cfg.ShowAt()
	}
	return answer, err
}

// validReport keeps one node's mistake out of the routing table and of lists.
func validReport(r cluster.Report) error {
	errs := []error{validAddress(r.Address), cluster.ValidatePlaces(r.Places), cluster.ValidateTags("tags", r.Tags)}
	for _, st := range r.Instances {
		errs = append(errs, validAddress(st.Address))
	}
	return errors.Join(errs...)
}

// update records what a node says of itself. With another address, what runs there has
// to move to it.
func (n *Nodes) update(ctx context.Context, node, now cluster.Node) error {
	if err := n.cfg.Store.UpdateNode(ctx, node, now); err != nil || node.Address == now.Address {
		return err
	}
	n.cfg.Log.Info("a node has another address", "node", node.Name, "was", node.Address, "now", now.Address)
	return n.appsChanged(ctx, node)
}

// appsChanged has the apps on a node looked at again.
func (n *Nodes) appsChanged(ctx context.Context, node cluster.Node) error {
	apps, err := n.cfg.Store.AppsOn(ctx, node.ID)
	n.cfg.Changed(apps...)
	return err
}

// applyReport writes what the report changes, by those of its instances that are at a
// known place; most change nothing, and then nothing is written.
func (n *Nodes) applyReport(ctx context.Context, node cluster.Node, r cluster.Report, list []cluster.InstanceStatus) error {
	if r.Full {
		lost, err := n.lost(ctx, node, r)
		if err != nil {
			return err
		}
		list = append(slices.Clone(list), lost...)
	}
	if len(list) == 0 {
		n.noteUnknown(node, r, nil)
		return nil
	}
	unknown, changed, err := n.cfg.Store.ApplyReport(ctx, node.ID, list)
	if err != nil {
		return err
	}
	n.noteUnknown(node, r, unknown)
	if !changed {
		return nil
	}
	ids := make([]cluster.ID, len(list))
	for i, st := range list {
		ids[i] = st.ID
	}
	apps, err := n.cfg.Store.AppsOf(ctx, ids)
	n.cfg.Changed(apps...)
	return err
}

// noteUnknown keeps the containers of a full report that the database does not
// know, also none: those removed by hand are forgotten.
func (n *Nodes) noteUnknown(node cluster.Node, r cluster.Report, unknown []cluster.ID) {
	if r.Full {
		n.sessions.noteUnknown(node.ID, unknown)
	}
}

// lost are the instances that a full report should name and does not: the heart
// has applied a wanted set with them, and no longer knows them.
func (n *Nodes) lost(ctx context.Context, node cluster.Node, r cluster.Report) ([]cluster.InstanceStatus, error) {
	if r.Epoch != n.cfg.Epoch {
		return nil, nil
	}
	known := make(map[cluster.ID]bool, len(r.Instances))
	for _, st := range r.Instances {
		known[st.ID] = true
	}
	list, err := n.cfg.Store.InstancesOn(ctx, node.ID)
	if err != nil {
		return nil, err
	}
	var lost []cluster.InstanceStatus
	for _, in := range list {
		if known[in.ID] || in.Revision > r.Revision || in.State == cluster.InstanceAssigned {
			continue
		}
		lost = append(lost, cluster.InstanceStatus{ID: in.ID, State: cluster.InstanceFailed, Gone: true, Error: "its node no longer knows it"})
	}
	return lost, nil
}
