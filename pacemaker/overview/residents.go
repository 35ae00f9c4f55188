package overview

import (
	"context"
	"fmt"
	"slices"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/plan"
)

// Resident is an instance as its node's page shows it: with what becomes of it where it
// is not to stay as it is.
type Resident struct {
	Instance
	App string // name
	// Work moves, replaces or stops it; nil while nothing does.
	Work *cluster.Operation
	// Next is what it waits for, in words; empty where it waits for nothing.
	Next string
}

// Residents lists what is on a node of the snapshot, by app, type and id. How much else
// runs in the cluster matters little.
func (o *Overview) Residents(ctx context.Context, g Snapshot, node Node) ([]Resident, error) {
	list, err := o.cfg.Store.InstancesOn(ctx, node.ID)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	releases, err := o.cfg.Store.LiveReleases(ctx)
	if err != nil {
		return nil, err
	}
	asked, err := o.cfg.Store.AllFormations(ctx)
	if err != nil {
		return nil, err
	}
	apps := make(map[cluster.ID]App, len(g.Apps))
	order := make(map[cluster.ID]int, len(g.Apps))
	for i, a := range g.Apps {
		apps[a.ID], order[a.ID] = a, i
	}
	out := make([]Resident, 0, len(list))
	for _, in := range list {
		release := releases[in.ReleaseID]
		process, _ := release.Process(in.Type)
		v := Instance{Instance: in, Release: release.Label(), Node: node.Node, Limits: plan.Limits(process, asked[in.AppID]).OrDefault()}
		o.observe(&v)
		v.Crashes = in.Troubled(o.cfg.Now())
		v.Text = v.text()
		r := Resident{Instance: v, App: apps[in.AppID].Name, Work: workOn(in, node, g.Open)}
		if r.Work == nil {
			r.Next = g.next(in, node, apps[in.AppID])
		}
		out = append(out, r)
	}
	slices.SortStableFunc(out, func(a, b Resident) int { return order[a.AppID] - order[b.AppID] })
	return out, nil
}

// ResidentsOf lists what is on a node now.
func (o *Overview) ResidentsOf(ctx context.Context, node cluster.Node) ([]Resident, error) {
	g, err := o.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(g.Nodes, func(n Node) bool { return n.ID == node.ID })
	if i < 0 {
		return nil, cluster.NotFound("node %q does not exist any more (list those that do: aorta nodes)", node.Name)
	}
	return o.Residents(ctx, g, g.Nodes[i])
}

// workOn is what is at work on an instance: its move, its replacement when its node is
// dead, or its end.
func workOn(in cluster.Instance, node Node, open []cluster.Operation) *cluster.Operation {
	for i, op := range open {
		if op.AppID != in.AppID {
			continue
		}
		if in.State == cluster.InstanceDraining {
			if op.Kind == cluster.OpRetire {
				return &open[i]
			}
			continue
		}
		args, err := op.Request()
		if err != nil || op.Kind != cluster.OpReplace {
			continue
		}
		if slices.Contains(args.Replace, in.ID) || node.Lost() && in.State.Wanted() && len(args.Replace) == 0 && slices.Contains(args.Types, in.Type) {
			return &open[i]
		}
	}
	return nil
}

// next says what an instance waits for that is to leave its node.
func (g Snapshot) next(in cluster.Instance, node Node, app App) string {
	if node.Lost() && !in.State.Wanted() {
		return "replaced; it is stopped once the node is back"
	}
	for _, r := range app.NoRoom {
		if r.Instance == in.Name() && r.Node == node.ID || r.Instance == "" && r.Type == in.Type && node.Lost() {
			return "finds no other node: " + r.Reason
		}
	}
	switch {
	case node.Lost() && !app.NextTry.IsZero():
		return fmt.Sprintf("what replaces it fails; the next try is at %s UTC", app.NextTry.UTC().Format(time.TimeOnly))
	case node.Lost() && app.Stopped, !in.State.Wanted():
		return ""
	case node.Lost():
		return "is replaced in its turn"
	case node.Unheard && g.Guarded:
		return "is not replaced while so many nodes are silent"
	case node.Draining && !g.othersTake(node):
		return "finds no other node: there is none that takes instances"
	case node.Draining:
		return "moves in its turn"
	}
	return ""
}

// othersTake says that there is a node beside this one that takes instances at all. What
// moves may only be looked for once no operation is at work on its app, and this is known
// before.
func (g Snapshot) othersTake(node Node) bool {
	return slices.ContainsFunc(g.Nodes, func(n Node) bool {
		return n.ID != node.ID && n.Has(cluster.RoleHeart) && n.StateText() == string(cluster.NodeReady)
	})
}
