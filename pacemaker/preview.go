package pacemaker

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/place"
	"aorta/pacemaker/plan"
	"aorta/pacemaker/store"
)

// Preview is what a change would do, by what is known now. It changes nothing.
type Preview struct {
	Changes bool // something would be another than it is
	Steps   []PreviewStep
	// Missing find no node: a change of the formation would fail by it and be taken
	// back, a drained node would keep them.
	Missing []PreviewMissing
	// Refused are the nodes that would get none of what starts, and why.
	Refused []PreviewRefusal
	// Last says of a drain that no other node takes instances: until one does, what
	// starts any fails, deploys too.
	Last bool
}

// PreviewStep is an instance that would start, or one that would stop once what
// replaces it serves; of an exclusive process type, before that starts.
type PreviewStep struct {
	App, Type string
	Node      string
	Instance  cluster.ID // that stops; empty: one starts
	Exclusive bool
}

// PreviewMissing is what would find no node.
type PreviewMissing struct {
	App, Type string
	Count     int
	Reason    string
}

// PreviewRefusal is why a node would get no instance of a process type.
type PreviewRefusal struct{ App, Type, Node, Reason string }

// previewer makes a preview on a room that is its own.
type previewer struct {
	Preview
	room  *room
	names map[cluster.ID]string // of nodes
	empty cluster.ID            // the node that is to take none, of which nobody asks why
}

func (p *Pacemaker) previewer(ctx context.Context) (*previewer, error) {
	room, err := p.room(ctx)
	if err != nil {
		return nil, err
	}
	v := &previewer{room: room, names: map[cluster.ID]string{}}
	for _, n := range room.nodes {
		v.names[n.ID] = n.Name
	}
	return v, nil
}

// PreviewFormation is what ChangeFormation would do, with the same refusals.
func (p *Pacemaker) PreviewFormation(ctx context.Context, app cluster.App, changes map[string]ProcessChange) (Preview, error) {
	c, err := p.formationChange(ctx, app, changes)
	if err != nil {
		return Preview{}, err
	}
	list, err := p.store.Instances(ctx, app.ID)
	if err != nil {
		return Preview{}, err
	}
	nodes, err := p.store.Nodes(ctx)
	if err != nil {
		return Preview{}, err
	}
	v, err := p.previewer(ctx)
	if err != nil {
		return Preview{}, err
	}
	after := c.after()
	away := awayOf(nodes, p.cfg.DeadAfter, p.cfg.Now())
	target := plan.Target{Release: c.release.ID, Replace: giveWay(c.args, c.release, after, list, nodes), Lost: away.lost, Held: away.held, Dead: away.dead, Silence: away.silence, Exclusive: plan.Exclusive(c.release, nil, nil)}
	if !app.Stopped {
		target.Want = plan.Want(c.release, after)
	}
	v.rollout(app, c.release, after, target, list)
	v.Steps = c.ownSteps(v.Steps, target, list)
	v.Changes = len(v.Steps)+len(v.Missing) > 0 || c.differs()
	return v.Preview, nil
}

// ownSteps leaves the steps that are the change's own: of the process types that it is
// about, without what is given up anyway, as once a move has ended.
func (c formationChange) ownSteps(steps []PreviewStep, target plan.Target, list []cluster.Instance) []PreviewStep {
	target.Replace = nil
	if target.Want != nil {
		target.Want = plan.Want(c.release, c.asked)
	}
	anyway := plan.Drains("", target, list)
	return slices.DeleteFunc(steps, func(s PreviewStep) bool {
		changes := slices.ContainsFunc(c.list, func(f cluster.Formation) bool { return f.Type == s.Type })
		return !changes || s.Instance != "" && slices.Contains(anyway, s.Instance)
	})
}

// differs says that a process type is asked for something else, whatever runs.
func (c formationChange) differs() bool {
	after := c.after()
	for _, proc := range c.release.Processes {
		was, is := requestOf(c.release, proc, c.asked, 0), requestOf(c.release, proc, after, 0)
		if was.Limits != is.Limits || !slices.Equal(was.Tags.Require, is.Tags.Require) || !slices.Equal(was.Tags.Prefer, is.Tags.Prefer) {
			return true
		}
	}
	return !maps.Equal(plan.Want(c.release, c.asked), plan.Want(c.release, after))
}

// rollout is what an operation would start and stop. What finds no node ends it.
func (v *previewer) rollout(app cluster.App, release cluster.Release, asked map[string]cluster.Formation, target plan.Target, list []cluster.Instance) {
	op := cluster.NewID()
	count := map[string]int{}
	for _, s := range plan.Starts(op, target, list) {
		count[s.Type]++
	}
	for _, typ := range slices.Sorted(maps.Keys(count)) {
		if target.Exclusive[typ] {
			list = v.interrupt(app, release, typ, asked, target, list)
		}
		for _, node := range v.start(app, release, typ, asked, count[typ]) {
			list = append(list, cluster.Instance{ID: cluster.NewID(), Type: typ, ReleaseID: release.ID, NodeID: node, State: cluster.InstanceRunning, Operation: op})
		}
	}
	if len(v.Missing) > 0 {
		v.Steps = nil
		return
	}
	gone := plan.Drains(op, target, list)
	for _, in := range list {
		if slices.Contains(gone, in.ID) {
			v.stop(app, in, false)
		}
	}
}

// interrupt stops what there is of an exclusive process type, and gives what is left.
func (v *previewer) interrupt(app cluster.App, release cluster.Release, typ string, asked map[string]cluster.Formation, target plan.Target, list []cluster.Instance) (left []cluster.Instance) {
	way := target.InTheWay("", []string{typ}, list)
	for _, in := range list {
		if !slices.ContainsFunc(way, func(o cluster.Instance) bool { return o.ID == in.ID }) {
			left = append(left, in)
			continue
		}
		v.room.end(in, release, asked)
		switch {
		case target.Lost[in.NodeID]:
			v.Missing = append(v.Missing, PreviewMissing{app.Name, typ, 1, cluster.MayStillRun(in, app.Name, v.names[in.NodeID])})
		case in.State.Wanted():
			v.stop(app, in, true)
		}
	}
	return left
}

// start finds nodes for instances, or notes that there are none.
func (v *previewer) start(app cluster.App, release cluster.Release, typ string, asked map[string]cluster.Formation, count int) []cluster.ID {
	proc, _ := release.Process(typ)
	v.room.consider(plan.TypeOf{App: app.ID, Type: typ}, release.Image)
	hearts := slices.DeleteFunc(slices.Clone(v.room.nodes), func(n place.Node) bool { return !n.Heart || n.ID == v.empty })
	for _, r := range place.Refusals(requestOf(release, proc, asked, count), hearts, nil) {
		v.refuse(PreviewRefusal{app.Name, typ, r.Node, r.Reason})
	}
	chosen, err := v.room.choose(app.ID, release, typ, asked, count)
	var full *place.NoRoom
	if errors.As(err, &full) {
		v.miss(PreviewMissing{app.Name, typ, full.Count - full.Placed, full.ReasonsBut(v.empty)})
	}
	for _, node := range chosen {
		v.Steps = append(v.Steps, PreviewStep{App: app.Name, Type: typ, Node: v.names[node]})
	}
	return chosen
}

// miss adds what finds no node to what of its process type finds none for the same reason.
func (v *previewer) miss(m PreviewMissing) {
	i := slices.IndexFunc(v.Missing, func(have PreviewMissing) bool {
		return have.App == m.App && have.Type == m.Type && have.Reason == m.Reason
	})
	if i < 0 {
		v.Missing = append(v.Missing, m)
		return
	}
	v.Missing[i].Count += m.Count
}

// refuse notes a node once for each process type.
func (v *previewer) refuse(r PreviewRefusal) {
	same := func(have PreviewRefusal) bool {
		return have.App == r.App && have.Type == r.Type && have.Node == r.Node
	}
	if !slices.ContainsFunc(v.Refused, same) {
		v.Refused = append(v.Refused, r)
	}
}

func (v *previewer) stop(app cluster.App, in cluster.Instance, exclusive bool) {
	v.Steps = append(v.Steps, PreviewStep{App: app.Name, Type: in.Type, Node: v.names[in.NodeID], Instance: in.ID, Exclusive: exclusive})
}

// PreviewDrain is where the instances of a node would go if it took none: each is
// started elsewhere before it stops, one after the other; what is exclusive after it. A
// dead node is refused, as it is by DrainNode.
func (p *Pacemaker) PreviewDrain(ctx context.Context, node cluster.Node) (Preview, error) {
	if err := p.refuseDead(ctx, node); err != nil {
		return Preview{}, err
	}
	list, err := p.store.Standings(ctx, nil)
	if err != nil {
		return Preview{}, err
	}
	v, err := p.previewer(ctx)
	if err != nil {
		return Preview{}, err
	}
	v.empty = node.ID
	v.room.nodes[v.room.index[node.ID]].Draining = true
	v.Last = node.Has(cluster.RoleHeart) && v.room.takers() == 0
	slices.SortFunc(list, func(a, b store.Standing) int { return cmp.Compare(a.App.Name, b.App.Name) })
	for _, s := range list {
		for _, in := range s.Instances {
			if in.NodeID != node.ID || !in.State.Wanted() || in.ReleaseID != s.Release.ID {
				continue
			}
			if len(v.start(s.App, s.Release, in.Type, s.Asked, 1)) > 0 {
				proc, _ := s.Release.Process(in.Type)
				v.stop(s.App, in, proc.Exclusive)
				if last := len(v.Steps) - 1; proc.Exclusive { // it stops first
					v.Steps[last-1], v.Steps[last] = v.Steps[last], v.Steps[last-1]
				}
			}
		}
	}
	v.Changes = len(v.Steps)+len(v.Missing) > 0 || node.Has(cluster.RoleHeart) && !node.Draining // then it takes none any more
	return v.Preview, nil
}
