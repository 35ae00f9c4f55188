package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"aorta/web/client"
	"aorta/web/wire"
)

func planCommand(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use: "plan", Short: "Show what a change would do, and change nothing",
		Long:    "plan shows what a change would start and stop, and where, by what the cluster\nknows now. It changes nothing. There is a plan of ps scale, of ps type and of a\nnode's drain; deploys, restarts, rollbacks and config vars have none.\n\nexit codes: 0 nothing would change, 10 something would change, 1 it can't be\ndone, since something would find no node; others as for every command",
		Example: "  aorta plan ps scale web=5 -a shop\n  aorta plan drain n2",
	}
	ps := &cobra.Command{Use: "ps", Short: "Show what a change of process types would do"}
	ps.AddCommand(planScaleCommand(s), planTypeCommand(s))
	nodes := &cobra.Command{Use: "nodes", Short: "Show what a change of a node would do"}
	nodes.AddCommand(planDrainCommand(s))
	cmd.AddCommand(ps, nodes, planDrainCommand(s))
	return cmd
}

func planScaleCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "scale TYPE=N…", Short: "Show what aorta ps scale would do", Args: takes("TYPE=N…"),
		Example: "  aorta plan ps scale web=5 -a shop", ValidArgsFunction: beginning(s.completeTypes()),
		RunE: s.onApp(func(ctx context.Context, api *client.Client, app string, args []string) error {
			change, err := s.wishes(ctx, api, app, args)
			if err != nil {
				return err
			}
			return s.planFormation(ctx, api, app, change)
		}),
	}
}

func planTypeCommand(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use: "type TYPE", Short: "Show what aorta ps type would do", Args: takes("TYPE"),
		Example: "  aorta plan ps type web --require ssd -a shop", ValidArgsFunction: once(s.completeTypes()),
	}
	flags := newTypeFlags(cmd)
	cmd.RunE = s.onApp(func(ctx context.Context, api *client.Client, app string, args []string) error {
		change, err := flags.change(args[0])
		if err != nil {
			return err
		}
		return s.planFormation(ctx, api, app, wire.FormationChange{Types: map[string]wire.ProcessChange{args[0]: change}})
	})
	return cmd
}

func planDrainCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "drain NODE", Short: "Show where the instances of a node would go", Args: takes("NODE"),
		Example: "  aorta plan drain n2", ValidArgsFunction: once(s.completeNodes()),
		RunE: s.onCluster(func(ctx context.Context, api *client.Client, args []string) error {
			plan, err := api.PlanDrain(ctx, args[0])
			if err != nil {
				return err
			}
			if err = s.showPlan(plan); !s.flags.json {
				s.warnOfLast(plan)
			}
			return err
		}),
	}
}

func (s *session) planFormation(ctx context.Context, api *client.Client, app string, change wire.FormationChange) error {
	plan, err := api.PlanFormation(ctx, app, change)
	if err != nil {
		return err
	}
	return s.showPlan(plan)
}

// showPlan prints what would change. What finds no node makes each change one that can't
// be done: a new formation is taken back, and a drain does not end.
func (s *session) showPlan(plan wire.Plan) error {
	var err error
	switch {
	case len(plan.Missing) > 0:
		err = errReported
	case plan.Changes:
		err = errChanges
	}
	if s.flags.json {
		if failed := s.out.json(plan); failed != nil {
			return failed
		}
		return err
	}
	if failed := s.showSteps(plan); failed != nil {
		return failed
	}
	s.showMissing(plan)
	switch {
	case err == nil:
		s.err.line("Nothing would change.")
	case len(plan.Steps)+len(plan.Missing) == 0:
		s.err.line("What is set would change; no instance would start or stop.")
	}
	return err
}

// showMissing prints what would find no node, and why.
func (s *session) showMissing(plan wire.Plan) {
	for _, m := range plan.Missing {
		s.err.sentence("", fmt.Sprintf("%d %s of %s would find no node: %s", m.Count, m.Type, m.App, m.Reason))
	}
}

// foldedStep is a step, and how many there are of it.
type foldedStep struct {
	wire.PlanStep
	count int
}

// foldSteps makes one of the starts that are alike, unless something stops in between.
func foldSteps(list []wire.PlanStep) (out []foldedStep) {
	from := 0 // the first start that nothing has stopped behind
	for _, p := range list {
		i := slices.IndexFunc(out[from:], func(f foldedStep) bool { return f.PlanStep == p })
		if i >= 0 {
			out[from+i].count++
			continue
		}
		out = append(out, foldedStep{p, 1})
		if p.Instance != "" {
			from = len(out)
		}
	}
	return out
}

func (s *session) showSteps(plan wire.Plan) error {
	steps := s.out.newTable("WHAT", "APP", "TYPE", "NODE", "INSTANCE").withoutNames()
	for _, p := range foldSteps(plan.Steps) {
		instance := "(new)"
		switch {
		case p.Instance != "":
			instance = instanceName(p.Type, p.Instance)
		case p.count > 1:
			instance = fmt.Sprintf("(%d new)", p.count)
		}
		steps.row(p.Action, p.App, p.Type, p.Node, instance)
		if p.Exclusive {
			steps.note(p.Type + " is exclusive: it is interrupted, since this one stops before another one starts")
		}
	}
	if err := steps.print(""); err != nil || len(plan.Refused) == 0 {
		return err
	}
	if len(plan.Steps) > 0 {
		s.out.line("")
	}
	refused := s.out.newTable("NODE", "APP", "TYPE REFUSED")
	for _, r := range plan.Refused {
		refused.row(r.Node, r.App, r.Type)
		refused.note(r.Reason)
	}
	return refused.print("")
}
