package pacemaker

import (
	"context"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/place"
	"aorta/pacemaker/plan"
)

// room is what the nodes have and what is promised there, at one moment. What
// is chosen from it is promised in it too.
type room struct {
	nodes    []place.Node
	index    map[cluster.ID]int // in nodes
	siblings map[plan.TypeOf]map[cluster.ID]int
}

// room reads it, in a number of queries that does not depend on how much runs.
func (p *Pacemaker) room(ctx context.Context) (*room, error) {
	nodes, err := p.store.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	all, err := p.store.Instances(ctx, "")
	if err != nil {
		return nil, err
	}
	limits, err := p.limitsOf(ctx, all)
	if err != nil {
		return nil, err
	}
	r := &room{index: map[cluster.ID]int{}, siblings: map[plan.TypeOf]map[cluster.ID]int{}}
	for i, n := range nodes {
		heard, said := p.Nodes.Heard(n)
		r.index[n.ID] = i
		r.nodes = append(r.nodes, place.Node{
			ID: n.ID, Name: n.Name, Heart: n.Has(cluster.RoleHeart), Draining: n.Draining,
			Ready: n.State == cluster.NodeReady && said && heard.Ago <= p.cfg.DeadAfter,
			Score: heard.Load.Score, Memory: heard.Load.MemoryTotal, CPUs: float64(heard.Load.CPUs),
		})
	}
	for _, in := range all {
		if in.State.Ended() {
			continue
		}
		r.promise(in.NodeID, limits[in.ID])
		if in.State.Wanted() {
			r.sibling(plan.TypeOf{App: in.AppID, Type: in.Type}, in.NodeID)
		}
	}
	return r, nil
}

// limitsOf gives the limits of instances. What is gone from the database counts
// with the defaults.
func (p *Pacemaker) limitsOf(ctx context.Context, all []cluster.Instance) (map[cluster.ID]cluster.Limits, error) {
	releases, err := p.store.LiveReleases(ctx)
	if err != nil {
		return nil, err
	}
	asked, err := p.store.AllFormations(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[cluster.ID]cluster.Limits, len(all))
	for _, in := range all {
		proc, _ := releases[in.ReleaseID].Process(in.Type)
		proc.Name = in.Type
		out[in.ID] = plan.Limits(proc, asked[in.AppID])
	}
	return out, nil
}

func (r *room) promise(node cluster.ID, l cluster.Limits) {
	if i, known := r.index[node]; known {
		sum := &r.nodes[i].Reserved
		sum.Memory += l.OrDefault().Memory
		sum.CPUs += l.CPUs
	}
}

func (r *room) sibling(of plan.TypeOf, node cluster.ID) {
	if r.siblings[of] == nil {
		r.siblings[of] = map[cluster.ID]int{}
	}
	r.siblings[of][node]++
}

// choose finds a node for each of a number of instances of one process type. The
// error is a place.NoRoom when not all of them have one.
func (r *room) choose(app cluster.ID, release cluster.Release, typ string, asked map[string]cluster.Formation, count int) ([]cluster.ID, error) {
	proc, _ := release.Process(typ)
	limits, of := plan.Limits(proc, asked), plan.TypeOf{App: app, Type: typ}
	for i, n := range r.nodes {
		r.nodes[i].Siblings = r.siblings[of][n.ID]
	}
	promised := cluster.Limits{Memory: limits.OrDefault().Memory, CPUs: limits.CPUs}
	chosen, err := place.Choose(place.Request{Count: count, Limits: promised}, r.nodes)
	for _, node := range chosen {
		r.promise(node, limits)
		r.sibling(of, node)
	}
	return chosen, err
}
