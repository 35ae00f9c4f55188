package view

import (
	"aorta/pacemaker"
	"aorta/web/wire"
)

// Plan is what a change would do.
func Plan(p pacemaker.Preview) wire.Plan {
	out := wire.Plan{Changes: p.Changes, Last: p.Last, Steps: []wire.PlanStep{}, Missing: []wire.PlanMissing{}, Refused: []wire.PlanRefused{}}
	for _, s := range p.Steps {
		action := "stop"
		if s.Instance == "" {
			action = "start"
		}
		out.Steps = append(out.Steps, wire.PlanStep{Action: action, App: s.App, Type: s.Type, Node: s.Node, Instance: string(s.Instance), Exclusive: s.Exclusive})
	}
	for _, m := range p.Missing {
		out.Missing = append(out.Missing, wire.PlanMissing(m))
	}
	for _, r := range p.Refused {
		out.Refused = append(out.Refused, wire.PlanRefused(r))
	}
	return out
}
