package nodes

import (
	"context"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/plan"
)

// InstanceSpec gives a heart all it needs to run one of its own instances. For
// one that is not wanted any more it is not found: that is the fence against a
// late start.
func (n *Nodes) InstanceSpec(ctx context.Context, node cluster.Node, id cluster.ID) (cluster.InstanceSpec, error) {
	node, err := n.cfg.Store.Node(ctx, node.ID) // before the instance: see awaited
	if err != nil {
		return cluster.InstanceSpec{}, err
	}
	in, err := n.cfg.Store.Instance(ctx, id)
	if err != nil {
		return cluster.InstanceSpec{}, err
	}
	if in.NodeID != node.ID || !in.State.Wanted() {
		return cluster.InstanceSpec{}, cluster.NotFound("instance %s is not wanted on node %s", id, node.Name)
	}
	app, err := n.cfg.Store.AppByID(ctx, in.AppID)
	if err != nil {
		return cluster.InstanceSpec{}, err
	}
	release, err := n.cfg.Store.Release(ctx, in.ReleaseID)
	if err != nil {
		return cluster.InstanceSpec{}, err
	}
	vars, err := n.cfg.Store.ReleaseConfig(ctx, release.ID)
	if err != nil {
		return cluster.InstanceSpec{}, err
	}
	asked, err := n.cfg.Store.FormationsFor(ctx, app.ID, in.Operation)
	if err != nil {
		return cluster.InstanceSpec{}, err
	}
	proc, _ := release.Process(in.Type)
	if err := awaited(node, proc); err != nil {
		return cluster.InstanceSpec{}, err
	}
	return cluster.InstanceSpec{
		ID: in.ID, AppID: app.ID, App: app.Name, Release: release.Label(), Type: in.Type, Node: node.Name,
		Commit: release.Commit, Build: release.BuildID, Image: release.Image, Command: proc.Command, Env: vars, Port: in.Port,
		Limits: plan.Limits(proc, asked).OrDefault(), Health: proc.Health.OrDefault(), StopGrace: proc.Grace(), Container: proc.Container, Grants: app.Grants, Revision: in.Revision, Exclusive: proc.Exclusive, StopWhenCutOff: proc.StopWhenCutOff,
	}, nil
}

// awaited keeps what is exclusive from starting on a node that counts as lost until that
// has reported: another one may be assigned in its place meanwhile. Once it has, none is
// any more, and of one that was the instance is not wanted, which is read after the node.
func awaited(node cluster.Node, proc cluster.ProcessType) error {
	if proc.Exclusive && node.Lost() {
		return cluster.Unavailable("node %s counts as dead until it has reported: %s is exclusive, and starts after that", node.Name, proc.Name)
	}
	return nil
}

// PortRefused gives an instance another port than the one its heart refused.
func (n *Nodes) PortRefused(ctx context.Context, node cluster.Node, id cluster.ID, port int) error {
	in, err := n.cfg.Store.Instance(ctx, id)
	if err != nil {
		return err
	}
	if in.NodeID != node.ID {
		return cluster.NotFound("instance %s is not on node %s", id, node.Name)
	}
	return n.cfg.Store.ChangePort(ctx, id, port)
}

// OwnParts leaves of what a node ships the output of its own instances, under the
// app that each belongs to: a node can't write into a stranger's log. That of
// instances or apps that are not known any more is dropped.
func (n *Nodes) OwnParts(ctx context.Context, node cluster.Node, parts []cluster.LogPart) ([]cluster.LogPart, error) {
	apps := map[cluster.ID]cluster.ID{}
	out := make([]cluster.LogPart, 0, len(parts))
	for _, p := range parts {
		app, asked := apps[p.Instance]
		if !asked {
			in, err := n.cfg.Store.Instance(ctx, p.Instance)
			if err != nil && cluster.CodeOf(err) != cluster.CodeNotFound {
				return nil, err
			}
			if in.NodeID == node.ID {
				if app, err = n.logOf(ctx, in); err != nil {
					return nil, err
				}
			}
			apps[p.Instance] = app
		}
		if app != "" {
			p.App, p.Node = app, node.Name
			out = append(out, p)
		}
	}
	return out, nil
}

// logOf is the app in whose log an instance's output belongs, empty once that was
// destroyed: its instances outlive it while they end.
func (n *Nodes) logOf(ctx context.Context, in cluster.Instance) (cluster.ID, error) {
	switch _, err := n.cfg.Store.AppByID(ctx, in.AppID); {
	case cluster.CodeOf(err) == cluster.CodeNotFound && err != nil:
		return "", nil
	case err != nil:
		return "", err
	}
	return in.AppID, nil
}
