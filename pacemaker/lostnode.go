package pacemaker

import (
	"context"
	"fmt"
	"slices"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/liveness"
	"aorta/pacemaker/plan"
	"aorta/pacemaker/store"
)

// away are the nodes on which nothing should depend: those that are dead, whose
// instances don't count, those that came back lately, and those that are emptied.
type away struct {
	lost, held map[cluster.ID]bool
	dead       map[cluster.ID]bool          // those of the lost ones of which a person has said so
	silence    map[cluster.ID]time.Duration // that the lost ones count as dead by
	names      map[cluster.ID]string        // of all nodes
	nodes      []cluster.Node
}

func (p *Pacemaker) away(ctx context.Context) (away, error) {
	nodes, err := p.store.Nodes(ctx)
	return awayOf(nodes, p.cfg.DeadAfter, p.cfg.Now()), err
}

func awayOf(nodes []cluster.Node, deadAfter time.Duration, now time.Time) away {
	a := away{
		lost: map[cluster.ID]bool{}, held: map[cluster.ID]bool{}, dead: map[cluster.ID]bool{}, silence: map[cluster.ID]time.Duration{},
		names: cluster.NodeNames(nodes), nodes: nodes,
	}
	for _, n := range nodes {
		switch {
		case n.Lost():
			a.lost[n.ID], a.dead[n.ID], a.silence[n.ID] = true, n.DeclaredDead, n.SilentFor
		case n.Draining, now.Before(liveness.HeldUntil(n, deadAfter)):
			a.held[n.ID] = true
		}
	}
	return a
}

// target is what an app is to run, without those nodes.
func (a away) target(s store.Standing) plan.Target {
	return plan.Target{
		Release: s.Release.ID, Want: plan.Want(s.Release, s.Asked), Lost: a.lost, Held: a.held,
		Dead: a.dead, Silence: a.silence, Exclusive: plan.Exclusive(s.Release, nil, nil), Leaving: plan.Leaving(s.Release, s.Asked, s.Instances, a.nodes),
	}
}

// nodeLost ends what would wait for a node that is dead: what is to be stopped there is
// stopped once it is back. What was to start there starts elsewhere, see stranded.go.
func (p *Pacemaker) nodeLost(ctx context.Context, node cluster.Node, why string) {
	waiting, err := p.waitingFor(ctx, node)
	if err != nil {
		p.log.Error("what waits for a dead node could not be found", "node", node.Name, "err", err)
		return
	}
	for _, op := range waiting {
		if slices.Contains(starting, op.Kind) {
			continue
		}
		if err := p.abort(ctx, op, fmt.Sprintf("node %s is dead (%s)", node.Name, why)); err != nil {
			p.log.Warn("what waits for a dead node could not be aborted", "node", node.Name, "operation", op.ID, "err", err)
		}
	}
}

// drainSurplus has what is beyond an app's formation drained, once enough of it runs:
// instances of a dead node that have been replaced, or those of one that is back.
func (p *Pacemaker) drainSurplus(ctx context.Context, list []store.Standing, away away) error {
	for _, s := range list {
		ids := plan.Surplus(away.target(s), s.Instances)
		if len(ids) == 0 {
			continue
		}
		if err := p.store.DrainSurplus(ctx, s.App.ID, ids); err != nil {
			return fmt.Errorf("drain what is too much of %s: %w", s.App.Name, err)
		}
		p.rerouted(s.App.ID)
	}
	return nil
}

// lostWith is the name of the one dead node that had all that an app lacks.
func lostWith(s store.Standing, missing map[string]int, away away) string {
	had, name := map[string]int{}, ""
	for _, in := range s.Instances {
		if missing[in.Type] == 0 || !away.lost[in.NodeID] || !in.State.Wanted() || in.ReleaseID != s.Release.ID {
			continue
		}
		if name != "" && name != away.names[in.NodeID] {
			return ""
		}
		had[in.Type], name = had[in.Type]+1, away.names[in.NodeID]
	}
	for typ, n := range missing {
		if had[typ] < n {
			return ""
		}
	}
	return name
}
