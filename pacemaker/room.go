package pacemaker

import (
	"context"
	"slices"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/liveness"
	"aorta/pacemaker/place"
	"aorta/pacemaker/plan"
)

// room is what the nodes have and what is promised there, at one moment. What
// is chosen from it is promised in it too.
type room struct {
	nodes    []place.Node
	index    map[cluster.ID]int // in nodes
	siblings map[plan.TypeOf]map[cluster.ID]int
	brought  map[cluster.ID]map[string]bool // by node, the images of its instances
	holds    func(node cluster.ID, image cluster.Image) bool
}

// room reads it, in a number of queries that does not depend on how much runs. Some
// instances may be left out, which are to end first.
func (p *Pacemaker) room(ctx context.Context, without ...cluster.Instance) (*room, error) {
	nodes, err := p.store.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	all, err := p.store.Instances(ctx, "")
	if err != nil {
		return nil, err
	}
	releases, err := p.store.LiveReleases(ctx)
	if err != nil {
		return nil, err
	}
	asked, err := p.store.AllFormations(ctx)
	if err != nil {
		return nil, err
	}
	r := &room{index: map[cluster.ID]int{}, siblings: map[plan.TypeOf]map[cluster.ID]int{}, brought: map[cluster.ID]map[string]bool{}, holds: p.Images.Holds}
	for i, n := range nodes {
		r.index[n.ID] = i
		r.nodes = append(r.nodes, p.placeNode(n))
	}
	for _, in := range all {
		ends := slices.ContainsFunc(without, func(o cluster.Instance) bool { return o.ID == in.ID })
		if !in.State.Ended() && !ends {
			r.take(in, releases[in.ReleaseID], asked[in.AppID])
		}
	}
	return r, nil
}

// placeNode is what the choice knows of a node by itself.
func (p *Pacemaker) placeNode(n cluster.Node) place.Node {
	heard, said := p.Nodes.Heard(n)
	out := place.Node{
		ID: n.ID, Name: n.Name, Heart: n.Has(cluster.RoleHeart), Draining: n.Draining, Dead: n.Lost(), Empty: true,
		Held:  p.cfg.Now().Before(liveness.HeldUntil(n, p.cfg.DeadAfter)),
		Ready: n.State == cluster.NodeReady && said && heard.Ago <= p.cfg.DeadAfter,
		Score: heard.Load.Score, Memory: heard.Load.MemoryTotal, CPUs: float64(heard.Load.CPUs),
		Arch: n.Tags[cluster.ArchTag], Tags: n.Tags, SetTags: n.SetTags,
	}
	if heard.Load.DiskUsed > 0 { // a disk of which nothing is in use was not read
		out.DiskFree = max(1, heard.Load.DiskFree)
	}
	return out
}

// takers counts the nodes that take instances now.
func (r *room) takers() int {
	count := 0
	for _, n := range r.nodes {
		if n.Heart && n.Ready && !n.Draining {
			count++
		}
	}
	return count
}

// take counts what an instance has of its node. One whose release is gone from the
// database counts with the defaults.
func (r *room) take(in cluster.Instance, release cluster.Release, asked map[string]cluster.Formation) {
	proc, _ := release.Process(in.Type)
	proc.Name = in.Type
	r.promise(in.NodeID, plan.Limits(proc, asked))
	if in.State == cluster.InstanceAssigned || in.State == cluster.InstancePulling {
		r.bring(in.NodeID, release.Image)
	} else {
		r.note(in.NodeID, release.Image)
	}
	if in.State.Wanted() {
		r.sibling(plan.TypeOf{App: in.AppID, Type: in.Type}, in.NodeID)
	}
}

func (r *room) promise(node cluster.ID, l cluster.Limits) {
	if i, known := r.index[node]; known {
		r.nodes[i].Empty = false
		sum := &r.nodes[i].Reserved
		sum.Memory += l.OrDefault().Memory
		sum.CPUs += l.CPUs
	}
}

// end counts what an instance has of its node as free.
func (r *room) end(in cluster.Instance, release cluster.Release, asked map[string]cluster.Formation) {
	proc, _ := release.Process(in.Type)
	l := plan.Limits(proc, asked)
	r.promise(in.NodeID, cluster.Limits{Memory: -l.OrDefault().Memory, CPUs: -l.CPUs})
	if in.State.Wanted() {
		r.siblings[plan.TypeOf{App: in.AppID, Type: in.Type}][in.NodeID]--
	}
}

// sizeToPull is what an image takes of the disk of a node that has not got it. One that
// is not in the cluster's registry was never to go anywhere: its builder is the heart.
func sizeToPull(image cluster.Image) int64 {
	if image.Pushed == "" {
		return 0
	}
	return image.Size
}

// bring has an image on its way to a node, of whose disk it takes its size.
func (r *room) bring(node cluster.ID, image cluster.Image) {
	i, known := r.index[node]
	if !known || r.has(node, image) {
		return
	}
	r.note(node, image)
	if free := &r.nodes[i].DiskFree; *free > 0 {
		*free = max(1, *free-sizeToPull(image))
	}
}

// note that a node has an image.
func (r *room) note(node cluster.ID, image cluster.Image) {
	if r.brought[node] == nil {
		r.brought[node] = map[string]bool{}
	}
	r.brought[node][image.ID] = true
}

func (r *room) has(node cluster.ID, image cluster.Image) bool {
	return r.brought[node][image.ID] || r.holds(node, image)
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
	chosen, err := r.candidates(app, release, typ, asked, count)
	proc, _ := release.Process(typ)
	for _, node := range chosen {
		r.promise(node, plan.Limits(proc, asked))
		r.bring(node, release.Image)
		r.sibling(plan.TypeOf{App: app, Type: typ}, node)
	}
	return chosen, err
}

// candidates is choose without a promise.
func (r *room) candidates(app cluster.ID, release cluster.Release, typ string, asked map[string]cluster.Formation, count int) ([]cluster.ID, error) {
	proc, _ := release.Process(typ)
	of := plan.TypeOf{App: app, Type: typ}
	r.consider(of, release.Image)
	return place.Choose(requestOf(release, proc, asked, count), r.nodes)
}

// consider sets what the nodes have of a process type and its image.
func (r *room) consider(of plan.TypeOf, image cluster.Image) {
	for i := range r.nodes {
		n := &r.nodes[i]
		n.Siblings = r.siblings[of][n.ID]
		n.HasImage = n.DiskFree > 0 && n.DiskFree < place.DiskFloor+sizeToPull(image) && r.has(n.ID, image) // what does not matter is not asked
	}
}

// requestOf asks for instances of a process type of a release.
func requestOf(release cluster.Release, proc cluster.ProcessType, asked map[string]cluster.Formation, count int) place.Request {
	limits := plan.Limits(proc, asked)
	return place.Request{
		Count: count, Limits: cluster.Limits{Memory: limits.OrDefault().Memory, CPUs: limits.CPUs},
		Tags:  plan.Tags(proc, asked),
		Image: place.Image{Arch: release.Image.Arch, Size: sizeToPull(release.Image)},
	}
}
