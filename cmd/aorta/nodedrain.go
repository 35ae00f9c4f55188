package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"aorta/pacemaker/cluster"
	"aorta/web/client"
	"aorta/web/wire"
)

func nodesDrainCommand(s *session) *cobra.Command {
	return startsWork(s, &cobra.Command{
		Use: "drain NODE", Short: "Move what runs on a machine to others", Args: takes("NODE"),
		Long: `Move what runs on a machine to others, an instance of each app at a time: the
new one serves before the old one is stopped, so that no request fails. Nothing
is started there any more, until aorta nodes undrain. Its router goes on.`,
		Example: "  aorta nodes drain n2", ValidArgsFunction: once(s.completeNodes()), RunE: s.onCluster(s.drainNode),
	})
}

// drainNode says first what would find no other node: that drain waits until there is
// room, and who only gets its id would not hear of it.
func (s *session) drainNode(ctx context.Context, api *client.Client, args []string) error {
	if plan, err := api.PlanDrain(ctx, args[0]); err == nil {
		s.showMissing(plan)
		if len(plan.Missing) > 0 {
			s.err.line("The drain waits until they find one; to end it: aorta nodes undrain %s", clean(args[0]))
		}
		s.warnOfLast(plan)
	}
	work, err := api.DrainNode(ctx, args[0])
	if err != nil {
		return err
	}
	return s.follow(ctx, api, work, func() {
		s.err.line("%s is drained: nothing starts there until aorta nodes undrain %s", clean(args[0]), clean(args[0]))
	})
}

// warnOfLast says what becomes of all apps by the drain of the last node for them.
func (s *session) warnOfLast(plan wire.Plan) {
	if plan.Last {
		s.err.line("No other node takes instances: until one does, deploys, restarts and changes of all apps fail.")
	}
}

func nodesUndrainCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "undrain NODE", Short: "Start instances on a machine again", Args: takes("NODE"),
		Example: "  aorta nodes undrain n2", ValidArgsFunction: once(s.completeNodes()), RunE: s.onCluster(s.undrainNode),
	}
}

func (s *session) undrainNode(ctx context.Context, api *client.Client, args []string) error {
	before, err := api.ClusterNode(ctx, args[0])
	if err != nil {
		return err
	}
	n, err := api.UndrainNode(ctx, args[0])
	if err != nil {
		return err
	}
	if s.flags.json {
		return s.out.json(n)
	}
	all, err := api.Nodes(ctx)
	s.err.line("%s", undrained(before, n, err == nil && !slices.ContainsFunc(all, func(o wire.Node) bool {
		return o.Name != n.Name && slices.Contains(o.Roles, string(cluster.RoleHeart))
	})))
	return nil
}

// undrained says what became of a node by its undrain. Nothing moves to one that is alone.
func undrained(before, n wire.Node, alone bool) string {
	name := clean(n.Name)
	silent := n.State == string(cluster.NodeDead) || n.State == string(cluster.NodeSuspect)
	switch {
	case !before.Draining && silent:
		return fmt.Sprintf("%s was not drained, and gets no instances because it is %s (see aorta nodes show %s)", name, n.State, name)
	case !before.Draining:
		return name + " was not drained: nothing has changed"
	case silent:
		return fmt.Sprintf("%s takes instances again once it is back: it is %s", name, n.State)
	case alone:
		return name + " takes instances again"
	case n.Instances > 0:
		return fmt.Sprintf("%s takes instances again, beside the %s that it has: those of which it has fewer than others move there, one by one", name, count(n.Instances, "instance"))
	}
	return name + " takes instances again: those of which it has fewer than others move there, one by one"
}
