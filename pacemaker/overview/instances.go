package overview

import (
	"context"

	"aorta/pacemaker/cluster"
)

// Instance is an instance with the names of what it belongs to.
type Instance struct {
	cluster.Instance
	Release string
	Node    cluster.Node
	Unheard bool
}

// Instances lists an app's instances that are not gone.
func (o *Overview) Instances(ctx context.Context, app cluster.App) ([]Instance, error) {
	list, err := o.cfg.Store.Instances(ctx, app.ID)
	if err != nil {
		return nil, err
	}
	labels := map[cluster.ID]string{}
	nodes := map[cluster.ID]cluster.Node{}
	views := make([]Instance, 0, len(list))
	for _, in := range list {
		if _, ok := labels[in.ReleaseID]; !ok {
			r, err := o.cfg.Store.Release(ctx, in.ReleaseID)
			if err != nil {
				return nil, err
			}
			labels[in.ReleaseID] = r.Label()
		}
		if _, ok := nodes[in.NodeID]; !ok {
			if nodes[in.NodeID], err = o.cfg.Store.Node(ctx, in.NodeID); err != nil {
				return nil, err
			}
		}
		views = append(views, Instance{Instance: in, Release: labels[in.ReleaseID], Node: nodes[in.NodeID], Unheard: o.cfg.Nodes.Unheard(nodes[in.NodeID])})
	}
	return views, nil
}

// FindInstance turns what a person calls an instance (its id, its short id,
// web.short) into its id. One that is gone is found by its whole id only.
func (o *Overview) FindInstance(ctx context.Context, app cluster.App, name string) (cluster.ID, error) {
	if id, err := cluster.ParseID(name); err == nil {
		return id, nil
	}
	list, err := o.cfg.Store.Instances(ctx, app.ID)
	if err != nil {
		return "", err
	}
	var ids []cluster.ID
	for _, in := range list {
		if in.State.Wanted() && in.IsCalled(name) {
			ids = append(ids, in.ID)
		}
	}
	if len(ids) != 1 {
		return "", cluster.NotFound("app %q has no instance %.40q (list them with: aorta ps -a %s)", app.Name, name, app.Name)
	}
	return ids[0], nil
}
