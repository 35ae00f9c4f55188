package pacemaker

import (
	"context"
	"fmt"
	"strings"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/place"
	"aorta/pacemaker/plan"
	"aorta/pacemaker/store"
)

func planDrains(w work, list []cluster.Instance) []cluster.ID {
	return plan.Drains(w.op.ID, w.target, list)
}

// placeInstances chooses nodes for what is to start, writes the assignments
// down and grafts a start for each.
func (p *Pacemaker) placeInstances(ctx context.Context, r *jobs.Run) (any, error) {
	w, err := p.workOf(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := p.aim(ctx, &w); err != nil {
		return nil, err
	}
	list, err := p.store.Instances(ctx, w.app.ID)
	if err != nil {
		return nil, err
	}
	starts := plan.Starts(w.op.ID, w.target, list)
	if w.app.Stopped && !w.args.Revive && w.op.Kind != cluster.OpStop {
		r.Log("the app is stopped and stays so (start it with: aorta ps restart)")
	}
	if err := p.assign(ctx, w, starts); err != nil {
		return nil, permanentIfRefused(err)
	}
	mine, err := p.store.InstancesByOperation(ctx, w.op.ID)
	if err != nil {
		return nil, err
	}
	return nil, p.graftStarts(ctx, r, w, mine)
}

// assign places the starts that have no row yet, type by type, so that each
// choice sees the ones before it.
func (p *Pacemaker) assign(ctx context.Context, w work, starts []plan.Start) error {
	have, err := p.store.InstancesByOperation(ctx, w.op.ID)
	if err != nil {
		return err
	}
	made := map[cluster.ID]bool{}
	for _, in := range have {
		made[in.ID] = true
	}
	byType := map[string][]cluster.ID{}
	var order []string
	for _, s := range starts {
		if made[s.ID] {
			continue
		}
		if byType[s.Type] == nil {
			order = append(order, s.Type)
		}
		byType[s.Type] = append(byType[s.Type], s.ID)
	}
	for _, typ := range order {
		if err := p.assignType(ctx, w, typ, byType[typ]); err != nil {
			return err
		}
	}
	return nil
}

func (p *Pacemaker) assignType(ctx context.Context, w work, typ string, ids []cluster.ID) error {
	proc, ok := w.release.Process(typ)
	if !ok {
		return cluster.Invalid("type", "release %s has no process type %q", w.release.Label(), typ)
	}
	nodes, err := p.candidates(ctx, w.app.ID, typ)
	if err != nil {
		return err
	}
	limits := plan.Limits(proc, w.asked)
	promised := cluster.Limits{Memory: limits.OrDefault().Memory, CPUs: limits.CPUs}
	chosen, err := place.Choose(place.Request{Count: len(ids), Limits: promised}, nodes)
	if err != nil {
		return fmt.Errorf("place %s: %w", typ, err)
	}
	list := make([]store.Assignment, len(ids))
	for i, id := range ids {
		list[i] = store.Assignment{
			ID: id, App: w.app.ID, Release: w.release.ID, Type: typ, Node: chosen[i],
			NeedsPort: typ == cluster.WebType, Operation: w.op.ID,
		}
	}
	return p.store.Assign(ctx, list)
}

// candidates describes every node to the placement: what it has, what is
// promised there and how many of the kind it runs.
func (p *Pacemaker) candidates(ctx context.Context, app cluster.ID, typ string) ([]place.Node, error) {
	nodes, err := p.store.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	all, err := p.store.Instances(ctx, "")
	if err != nil {
		return nil, err
	}
	promised, siblings, err := p.promises(ctx, all, app, typ)
	if err != nil {
		return nil, err
	}
	out := make([]place.Node, 0, len(nodes))
	for _, n := range nodes {
		heard, said := p.hearts.heard(n.ID)
		out = append(out, place.Node{
			ID: n.ID, Name: n.Name, Heart: n.Has(cluster.RoleHeart), Draining: n.Draining,
			Ready: n.State == cluster.NodeReady && said && heard.Ago <= p.cfg.DeadAfter,
			Score: heard.Load.Score, Memory: heard.Load.MemoryTotal, CPUs: float64(heard.Load.CPUs),
			Reserved: promised[n.ID], Siblings: siblings[n.ID],
		})
	}
	return out, nil
}

func (p *Pacemaker) promises(ctx context.Context, all []cluster.Instance, app cluster.ID, typ string) (map[cluster.ID]cluster.Limits, map[cluster.ID]int, error) {
	limits, err := p.limitsOf(ctx, all)
	if err != nil {
		return nil, nil, err
	}
	promised, siblings := map[cluster.ID]cluster.Limits{}, map[cluster.ID]int{}
	for _, in := range all {
		if in.State.Ended() {
			continue
		}
		sum, l := promised[in.NodeID], limits[in.ID]
		promised[in.NodeID] = cluster.Limits{Memory: sum.Memory + l.OrDefault().Memory, CPUs: sum.CPUs + l.CPUs}
		if in.AppID == app && in.Type == typ && in.State.Wanted() {
			siblings[in.NodeID]++
		}
	}
	return promised, siblings, nil
}

// limitsOf reads each release and formation once, however many instances share
// them. What is gone from the database counts with the defaults.
func (p *Pacemaker) limitsOf(ctx context.Context, all []cluster.Instance) (map[cluster.ID]cluster.Limits, error) {
	releases := map[cluster.ID]cluster.Release{}
	asked := map[cluster.ID]map[string]cluster.Formation{}
	out := make(map[cluster.ID]cluster.Limits, len(all))
	for _, in := range all {
		if _, ok := releases[in.ReleaseID]; !ok {
			r, err := p.store.Release(ctx, in.ReleaseID)
			if err != nil && cluster.CodeOf(err) != cluster.CodeNotFound {
				return nil, err
			}
			releases[in.ReleaseID] = r
		}
		if _, ok := asked[in.AppID]; !ok {
			f, err := p.store.Formations(ctx, in.AppID)
			if err != nil {
				return nil, err
			}
			asked[in.AppID] = f
		}
		proc, _ := releases[in.ReleaseID].Process(in.Type)
		proc.Name = in.Type
		out[in.ID] = plan.Limits(proc, asked[in.AppID])
	}
	return out, nil
}

func (p *Pacemaker) graftStarts(ctx context.Context, r *jobs.Run, w work, mine []cluster.Instance) error {
	nodes, err := p.store.Nodes(ctx)
	if err != nil {
		return err
	}
	names := map[cluster.ID]string{}
	for _, n := range nodes {
		names[n.ID] = n.Name
	}
	var specs []jobs.Spec
	var where []string
	for _, in := range mine {
		subject := r.Subject()
		subject.Release, subject.Node = w.release.Label(), names[in.NodeID]
		b := treeBuilder{op: w.op, subject: subject}
		spec := b.job(cluster.JobInstanceStart, jobs.NodeQueue(string(in.NodeID)), "Start "+instanceName(in)+" on "+names[in.NodeID],
			cluster.InstanceArgs{Operation: w.op.ID, Instance: in.ID})
		spec.ID = string(cluster.DeriveID(in.ID, "start", 0))
		spec.Priority = jobs.High
		specs = append(specs, spec)
		where = append(where, instanceName(in)+" on "+names[in.NodeID])
	}
	if len(specs) == 0 {
		return nil
	}
	r.Log("placed " + strings.Join(where, ", "))
	return r.Graft(specs...)
}
