package pacemaker

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/plan"
	"aorta/pacemaker/store"
)

// placeInstances chooses nodes for what to start, writes the assignments
// down and grafts a start for each.
func (p *Pacemaker) placeInstances(ctx context.Context, r *jobs.Run) (any, error) {
	w, err := p.workOf(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := p.setTarget(ctx, &w); err != nil {
		return nil, err
	}
	list, err := p.store.Instances(ctx, w.app.ID)
	if err != nil {
		return nil, err
	}
	starts := plan.AtMost(plan.Starts(w.op.ID, w.target, list), w.args.AtMost)
	if w.app.Stopped && !w.args.Revive && w.op.Kind != cluster.OpStop {
		r.Log("the app is stopped and stays so (start it with: aorta ps restart)")
	}
	shared, exclusive := w.target.SplitExclusive(starts)
	if err := p.refuseDoubt(ctx, w, typesOf(exclusive), list); err != nil {
		return nil, permanentIfRefused(err)
	}
	if err := p.assign(ctx, w, shared); err != nil {
		return nil, permanentIfRefused(err)
	}
	specs, err := p.startsOf(ctx, r, w, typesOf(shared))
	if err != nil {
		return nil, err
	}
	if len(exclusive) > 0 {
		specs = withSwap(w, r.Subject(), specs, typesOf(exclusive))
	}
	return nil, graft(r, specs)
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
	if _, ok := w.release.Process(typ); !ok {
		return cluster.Invalid("type", "release %s has no process type %q", w.release.Label(), typ)
	}
	room, err := p.room(ctx)
	if err != nil {
		return err
	}
	chosen, err := room.choose(w.app.ID, w.release, typ, w.asked, len(ids))
	if err != nil {
		return fmt.Errorf("place %s: %w", typ, err)
	}
	list := make([]store.Assignment, len(ids))
	for i, id := range ids {
		list[i] = w.assignment(id, typ, chosen[i])
	}
	return p.store.Assign(ctx, list)
}

func (w work) assignment(id cluster.ID, typ string, node cluster.ID) store.Assignment {
	return store.Assignment{
		ID: id, App: w.app.ID, Release: w.release.ID, Type: typ, Node: node,
		NeedsPort: typ == cluster.WebType, Operation: w.op.ID, Exclusive: w.target.Exclusive[typ],
	}
}

// startsOf makes the start jobs of what the operation has of some process types, and
// says where each is. What another one was placed instead of has none.
func (p *Pacemaker) startsOf(ctx context.Context, r *jobs.Run, w work, types []string) ([]jobs.Spec, error) {
	mine, err := p.store.InstancesByOperation(ctx, w.op.ID)
	mine = slices.DeleteFunc(mine, func(in cluster.Instance) bool { return !slices.Contains(types, in.Type) || in.DrainingAt != nil })
	if err != nil || len(mine) == 0 {
		return nil, err
	}
	specs, err := p.starts(ctx, r.Subject(), w, mine, false)
	if err != nil {
		return nil, err
	}
	var where []string
	for i, in := range mine {
		where = append(where, in.Name()+" on "+specs[i].Subject.Node)
	}
	r.Log("placed " + strings.Join(where, ", "))
	return specs, nil
}

func graft(r *jobs.Run, specs []jobs.Spec) error {
	if len(specs) == 0 {
		return nil
	}
	return r.Graft(specs...)
}

// starts makes a start job for each instance: the first one, or the one after
// its image was built again.
func (p *Pacemaker) starts(ctx context.Context, subject jobs.Subject, w work, list []cluster.Instance, rebuilt bool) ([]jobs.Spec, error) {
	nodes, err := p.store.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	names := cluster.NodeNames(nodes)
	role := "start"
	if rebuilt {
		role = "start/rebuilt"
	}
	var specs []jobs.Spec
	for _, in := range list {
		subject.Release, subject.Node = w.release.Label(), names[in.NodeID]
		b := treeBuilder{op: w.op, subject: subject}
		spec := b.job(cluster.JobInstanceStart, jobs.NodeQueue(string(in.NodeID)), "Start "+in.Name()+" on "+names[in.NodeID],
			cluster.InstanceArgs{Operation: w.op.ID, Instance: in.ID, Rebuilt: rebuilt})
		spec.ID = string(cluster.DeriveID(in.ID, role, 0))
		spec.Priority = jobs.High
		specs = append(specs, spec)
	}
	return specs, nil
}
