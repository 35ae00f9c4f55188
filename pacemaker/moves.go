package pacemaker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/overview"
	"aorta/pacemaker/place"
	"aorta/pacemaker/plan"
	"aorta/pacemaker/store"
)

// moving is an app of which an instance is to run elsewhere: the first of some that finds
// room.
type moving struct {
	store.Standing
	moves []plan.Move
}

// toMove finds what is to move next of the apps that lack nothing: what drained nodes
// have first.
func toMove(list []store.Standing, lacks []lack, away away) []moving {
	lacking := make(map[cluster.ID]bool, len(lacks))
	for _, l := range lacks {
		lacking[l.App.ID] = true
	}
	var out []moving
	for _, s := range list {
		if lacking[s.App.ID] {
			continue
		}
		if moves := plan.NextMoves(away.target(s), s.Instances); len(moves) > 0 {
			out = append(out, moving{s, moves})
		}
	}
	slices.SortStableFunc(out, func(a, b moving) int { return a.moves[0].Rank() - b.moves[0].Rank() })
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
		if free <= 0 {
			wait[m.App.ID] = waiting{until: p.cfg.Now()}
			continue
		}
		next, w := m.startable(pauses, room, away, spreads, p.cfg.Now())
		if !w.until.IsZero() {
			wait[m.App.ID] = w
		}
		if next == nil {
			continue
		}
		if err := p.beginMoving(ctx, m, *next, away); err != nil {
			return nil, fmt.Errorf("move an instance of %s: %w", m.App.Name, err)
		}
		spreads = spreads || next.Cause == plan.MoveCrowded
		free--
	}
	return wait, nil
}

// startable is the first of the moves that can be begun now, and what waits: one that
// finds no node, or keeps failing, holds up no other.
func (m moving) startable(pauses map[plan.TypeOf]time.Time, room *room, away away, spreads bool, now time.Time) (next *plan.Move, w waiting) {
	for _, move := range m.moves {
		typ := move.Instance.Type
		if move.Cause == plan.MoveCrowded && (spreads || !room.spreads(m.Standing, move)) {
			continue
		}
		if until := pauses[plan.TypeOf{App: m.App.ID, Type: typ}]; now.Before(until) {
			w.until = sooner(w.until, until)
			continue
		}
		err := room.chooseFor(m.Standing, move.Instance)
		if full := new(place.NoRoom); errors.As(err, &full) {
			w.until = sooner(w.until, now.Add(reconcileEvery))
			w.noRoom = append(w.noRoom, stays(m.Standing, move, away, full))
			continue
		}
		return &move, w
	}
	return nil, w
}

// chooseFor finds a node for what is to run in place of an instance: beside it, or where
// its type is exclusive, after it.
func (r *room) chooseFor(s store.Standing, in cluster.Instance) error {
	proc, _ := s.Release.Process(in.Type)
	if proc.Exclusive {
		r.end(in, s.Release, s.Asked)
	}
	_, err := r.choose(s.App.ID, s.Release, in.Type, s.Asked, 1)
	if err != nil && proc.Exclusive {
		r.take(in, s.Release, s.Asked)
	}
	return err
}

// spreads says that another node has two fewer of the instance's kind and takes it.
func (r *room) spreads(s store.Standing, m plan.Move) bool {
	to, err := r.candidates(s.App.ID, s.Release, m.Instance.Type, s.Asked, 1)
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
		lacks[i] = lack{Standing: m.Standing, missing: map[string]int{}}
		for _, move := range m.moves {
			lacks[i].missing[move.Instance.Type] = 1
		}
	}
	return lacks
}

func stays(s store.Standing, m plan.Move, away away, full *place.NoRoom) overview.NoRoom {
	remedy := full.Remedy()
	if m.Cause == plan.MoveDrained {
		remedy.Undrain = away.names[m.Instance.NodeID] // to stay is enough, also where nothing more has room
	}
	return overview.NoRoom{
		Type: m.Instance.Type, Count: 1, Reason: full.Reasons(), Next: remedy.Text(s.App.Name, m.Instance.Type),
		Instance: m.Instance.Name(), Node: m.Instance.NodeID, NodeName: away.names[m.Instance.NodeID], Displaced: m.Cause == plan.MoveDisplaced,
	}
}

func (p *Pacemaker) beginMoving(ctx context.Context, of moving, m plan.Move, away away) error {
	typ, from := m.Instance.Type, away.names[m.Instance.NodeID]
	title, reason := fmt.Sprintf("Move %s of %s off %s", m.Instance.Name(), of.App.Name, from), from+" is draining"
	switch m.Cause {
	case plan.MoveDisplaced:
		title = fmt.Sprintf("Move %s of %s off the former address of %s", m.Instance.Name(), of.App.Name, from)
		reason = fmt.Sprintf("%s has another address than %s, where it is published", from, m.Instance.Address)
	case plan.MoveMisplaced:
		reason = from + " has not got a tag that " + typ + " requires"
	case plan.MoveCrowded:
		reason = fmt.Sprintf("%s has %d %s, and other nodes have fewer", from, m.Siblings, typ)
	}
	return p.beginUnasked(ctx, cluster.Operation{
		Kind: cluster.OpReplace, AppID: of.App.ID, Title: title,
		Args: cluster.Request{Types: []string{typ}, AtMost: map[string]int{typ: 1}, Replace: []cluster.ID{m.Instance.ID}, Move: string(m.Cause), Reason: reason}.Encode(),
	})
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
