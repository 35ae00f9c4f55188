package overview

import (
	"context"

	"aorta/pacemaker/cluster"
)

// Status is the cluster in a few numbers, with what needs attention.
type Status struct {
	Severity   Severity // of the worst
	Reasons    []string // each with its next step, the worst first
	Critical   int      // how many of the reasons are bad: the first ones
	Notes      []string // see Overview.Notes
	Generation uint64
	Nodes      int
	NodesReady int
	NodesText  string // the nodes by state
	Apps       int
	Instances  int // that run, or wait to be started again
	Open       []cluster.Operation
}

// Status says how the cluster is, from the same snapshot as the dashboard.
func (o *Overview) Status(ctx context.Context) (Status, error) {
	g, err := o.Snapshot(ctx)
	if err != nil {
		return Status{Reasons: []string{}}, err
	}
	s := Status{
		Severity: SeverityOK, Reasons: []string{}, Generation: o.cfg.Publisher.Pair().Generation,
		Nodes: len(g.Nodes), NodesReady: g.NodesReady(), NodesText: g.NodesText(), Apps: len(g.Apps), Open: g.Open,
	}
	for _, a := range g.Apps {
		s.Instances += a.Running
		for _, in := range a.Crashing {
			if in.Crashing { // else it runs
				s.Instances++
			}
		}
	}
	for i, c := range g.Concerns() {
		if i == 0 {
			s.Severity = c.Severity
		}
		if c.Severity == SeverityBad {
			s.Critical++
		}
		s.Reasons = append(s.Reasons, c.Reason())
	}
	s.Notes, err = o.Notes(ctx)
	s.Notes = append(s.Notes, g.nodeNotes()...)
	return s, err
}
