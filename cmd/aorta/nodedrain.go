package main

import (
	"context"

	"github.com/spf13/cobra"

	"aorta/web/client"
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
	if plan, err := api.PlanDrain(ctx, args[0]); err == nil && len(plan.Missing) > 0 {
		s.showMissing(plan)
		s.err.line("The drain waits until they find one; to end it: aorta nodes undrain %s", clean(args[0]))
	}
	work, err := api.DrainNode(ctx, args[0])
	if err != nil {
		return err
	}
	return s.follow(ctx, api, work, func() {
		s.err.line("%s is drained: nothing starts there until aorta nodes undrain %s", clean(args[0]), clean(args[0]))
	})
}

func nodesUndrainCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "undrain NODE", Short: "Start instances on a machine again", Args: takes("NODE"),
		Example: "  aorta nodes undrain n2", ValidArgsFunction: once(s.completeNodes()), RunE: s.onCluster(s.undrainNode),
	}
}

func (s *session) undrainNode(ctx context.Context, api *client.Client, args []string) error {
	n, err := api.UndrainNode(ctx, args[0])
	if err != nil {
		return err
	}
	if s.flags.json {
		return s.out.json(n)
	}
	s.err.line("%s has instances again: those of which it has fewer than others move there, one by one", clean(n.Name))
	return nil
}
