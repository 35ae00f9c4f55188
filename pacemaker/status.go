package pacemaker

import (
	"context"
	"time"

	"aorta/pacemaker/cluster"
)

// awayTimeout bounds the question which Redis servers answer.
const awayTimeout = time.Second

// Status is the cluster in a few numbers, with what needs attention.
type Status struct {
	Reasons    []string // each with its next step, the worst first
	Generation uint64
	Nodes      int
	NodesReady int
	Apps       int
	Instances  int // that run
	Open       []cluster.Operation
}

// Status tells how the cluster is, by the same glance as the dashboard. A Redis
// that does not answer is among the reasons.
func (p *Pacemaker) Status(ctx context.Context) (Status, error) {
	g, err := p.Glance(ctx)
	if err != nil {
		return Status{Reasons: []string{}}, err
	}
	s := Status{
		Reasons: []string{}, Generation: p.publish.Pair().Generation,
		Nodes: len(g.Nodes), Apps: len(g.Apps), Open: g.Open,
	}
	for _, n := range g.Nodes {
		if !n.Unheard {
			s.NodesReady++
		}
	}
	for _, a := range g.Apps {
		s.Instances += a.Running + len(a.Crashing)
	}
	bounded, cancel := context.WithTimeout(ctx, awayTimeout)
	defer cancel()
	for _, c := range g.Concerns(p.Away(bounded)) {
		s.Reasons = append(s.Reasons, c.Reason())
	}
	return s, nil
}
