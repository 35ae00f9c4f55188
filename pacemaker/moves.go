package pacemaker

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/overview"
	"aorta/pacemaker/place"
	"aorta/pacemaker/plan"
	"aorta/pacemaker/store"
)

// moving is an app of which an instance is to run elsewhere.
type moving struct {
	store.Standing
	plan.Move
}

// toMove finds what is to move next of the apps that lack nothing: what drained nodes
// have first.
func toMove(list []store.Standing, lacks []lack, away away) []moving {
	var out []moving
	for _, s := range list {
		if slices.ContainsFunc(lacks, func(l lack) bool { return l.App.ID == s.App.ID }) {
			continue
		}
		if m, any := plan.NextMove(away.target(s), s.Instances, away.draining); any {
			out = append(out, moving{s, m})
		}
	}
	slices.SortStableFunc(out, func(a, b moving) int { return a.Rank() - b.Rank() })
	return out
}

// move begins to start what is to run elsewhere, where there is room for it and it has
// not just failed. Once that runs, what it is in place of is beyond what is wanted
// (drainSurplus). It gives the apps of which something waits.
func (p *Pacemaker) move(ctx context.Context, list []moving, room *room, away away, free int, open []cluster.Operation) (map[cluster.ID]waiting, error) {
	wait := map[cluster.ID]waiting{}
	pauses, err := p.pauses(ctx, asLacks(list))
	if err != nil {
		return nil, err
	}
	spreads := spreading(open)
	for _, m := range list {
		if m.Cause == plan.MoveCrowded && (spreads || !room.spreads(m)) {
			continue
		}
		if until := pauses[plan.TypeOf{App: m.App.ID, Type: m.Instance.Type}]; p.cfg.Now().Before(until) {
			wait[m.App.ID] = waiting{until: until}
			continue
		}
		if free <= 0 {
			wait[m.App.ID] = waiting{until: p.cfg.Now()}
			continue
		}
		_, err := room.choose(m.App.ID, m.Release, m.Instance.Type, m.Asked, 1)
		if full := new(place.NoRoom); errors.As(err, &full) {
			wait[m.App.ID] = waiting{until: p.cfg.Now().Add(reconcileEvery), noRoom: []overview.NoRoom{stays(m, away, full.Reasons())}}
			continue
		}
		if err := p.beginMoving(ctx, m, away); err != nil {
			return nil, fmt.Errorf("move an instance of %s: %w", m.App.Name, err)
		}
		spreads = spreads || m.Cause == plan.MoveCrowded
		free--
	}
	return wait, nil
}

// spreads says that another node has two fewer of the instance's kind and takes it.
func (r *room) spreads(m moving) bool {
	to, err := r.look(m.App.ID, m.Release, m.Instance.Type, m.Asked, 1)
	if err != nil {
		return false
	}
	n := r.nodes[r.index[to[0]]]
	return !n.Held && n.Siblings+2 <= m.Siblings
}

// spreading says that an instance is on its way to a node with fewer of its kind: there
// is one at a time, in the whole cluster.
func spreading(open []cluster.Operation) bool {
	return slices.ContainsFunc(open, func(op cluster.Operation) bool {
		args, err := op.Request()
		return err == nil && op.Kind == cluster.OpReplace && args.Move == string(plan.MoveCrowded)
	})
}

func asLacks(list []moving) []lack {
	lacks := make([]lack, len(list))
	for i, m := range list {
		lacks[i] = lack{m.Standing, map[string]int{m.Instance.Type: 1}}
	}
	return lacks
}

func stays(m moving, away away, reason string) overview.NoRoom {
	return overview.NoRoom{
		Type: m.Instance.Type, Count: 1, Wanted: plan.Want(m.Release, m.Asked)[m.Instance.Type], Reason: reason,
		Instance: m.Instance.Name(), Node: m.Instance.NodeID, NodeName: away.names[m.Instance.NodeID], Drained: m.Cause == plan.MoveDrained,
	}
}

func (p *Pacemaker) beginMoving(ctx context.Context, m moving, away away) error {
	typ, from := m.Instance.Type, away.names[m.Instance.NodeID]
	reason := from + " is drained"
	switch m.Cause {
	case plan.MoveMisplaced:
		reason = from + " has not got a tag that " + typ + " requires"
	case plan.MoveCrowded:
		reason = fmt.Sprintf("%s has %d %s, and other nodes have fewer", from, m.Siblings, typ)
	}
	_, err := p.begin(ctx, cluster.Operation{
		Kind: cluster.OpReplace, AppID: m.App.ID, Title: fmt.Sprintf("Move %s of %s off %s", m.Instance.Name(), m.App.Name, from),
		Args: cluster.Request{Types: []string{typ}, AtMost: map[string]int{typ: 1}, Replace: []cluster.ID{m.Instance.ID}, Move: string(m.Cause), Reason: reason}.Encode(),
	}, store.IfUnchanging())
	if cluster.CodeOf(err) == cluster.CodeConflict {
		return nil // somebody asked for something meanwhile; its end has the app checked again
	}
	return err
}

// leaving says what can't leave a node, and why.
func (m *missing) leaving(node cluster.ID) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []string
	for _, w := range m.waiting {
		for _, r := range w.noRoom {
			if r.Instance != "" && r.Node == node {
				out = append(out, r.Instance+" finds no other node: "+r.Reason)
			}
		}
	}
	slices.Sort(out)
	return out
}
