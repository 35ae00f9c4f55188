package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"aorta/pacemaker/cluster"
	"aorta/web/client"
	"aorta/web/wire"
)

func nodesRemoveCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "remove NODE", Short: "Take a machine out of the cluster, at once and for good", Args: takes("NODE"),
		Long: `Take a machine out of the cluster: its certificate, its Redis users and its
queue are gone at once. What ran there is no longer served, and is started
elsewhere. Its daemon stops its router and its instances when it hears of that.`,
		Example: "  aorta nodes remove n2", ValidArgsFunction: once(s.completeNodes()), RunE: s.onCluster(s.removeNode),
	}
}

func (s *session) removeNode(ctx context.Context, api *client.Client, args []string) error {
	gone, err := api.RemoveNode(ctx, args[0])
	if err != nil {
		return err
	}
	if s.flags.json {
		return s.out.json(gone)
	}
	s.err.line("Removed %s: its certificate, Redis users and queue are gone", clean(gone.Name))
	if n := len(gone.Instances); n > 0 {
		s.err.line("Its daemon stops %s and its router there. If that machine is away, stop them when it is back, before it is used again: aortad stop --all --data-dir DIR", count(n, "instance"))
	}
	return nil
}

func nodesDeclareDeadCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "declare-dead NODE", Short: "Have a silent machine count as lost at once", Args: takes("NODE"),
		Long: `Have a silent machine count as lost at once, without waiting for dead_after,
and also while so many are silent that nothing is replaced. What ran there is
started elsewhere, also what is exclusive: be sure that it runs no more. A
machine that comes back is used again.`,
		Example: "  aorta nodes declare-dead n2", ValidArgsFunction: once(s.completeNodes()), RunE: s.onCluster(s.declareDead),
	}
}

func (s *session) declareDead(ctx context.Context, api *client.Client, args []string) error {
	n, err := api.DeclareDead(ctx, args[0])
	if err != nil {
		return err
	}
	if s.flags.json {
		return s.out.json(n)
	}
	list, err := api.NodeInstances(ctx, args[0])
	if err != nil {
		return err
	}
	s.err.line("%s counts as dead: %s", clean(n.Name), ofTheDead(list))
	return nil
}

// ofTheDead says what becomes of what ran on a node that is dead.
func ofTheDead(list []wire.NodeInstance) string {
	waits := 0
	for _, in := range list {
		if cluster.InstanceState(in.State).Wanted() {
			waits++
		}
	}
	switch {
	case len(list) == 0:
		return "nothing there is to be replaced"
	case waits == 0:
		return "all that ran there runs elsewhere"
	case waits == 1:
		return "1 instance there is not replaced yet (to follow it: aorta status)"
	}
	return fmt.Sprintf("%d instances there are not replaced yet (to follow it: aorta status)", waits)
}

func nodesTagCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "tag NODE KEY=VALUE…", Short: "Set tags on a node; KEY= takes one away",
		Example:           "  aorta nodes tag n2 ssd zone=a\n  aorta nodes tag n2 zone=",
		Args:              takes("NODE", "KEY=VALUE…"),
		ValidArgsFunction: once(s.completeNodes()),
		RunE: s.onCluster(func(ctx context.Context, api *client.Client, args []string) error {
			change, err := parseTags(args[1:], true)
			if err != nil {
				return err
			}
			n, err := api.TagNode(ctx, args[0], change)
			if err != nil {
				return err
			}
			if s.flags.json {
				return s.out.json(n)
			}
			s.err.line("Tags of %s: %s", clean(n.Name), tagText(n.Tags))
			return nil
		}),
	}
}

// parseTags reads KEY=VALUE, or KEY for one that has nothing to say but that it is there;
// an empty value is for taking one away.
func parseTags(list []string, takesAway bool) (map[string]string, error) {
	tags := map[string]string{}
	for _, text := range list {
		key, value, valued := strings.Cut(text, "=")
		if !valued {
			value = "true"
		}
		if key == "" || value == "" && !takesAway {
			return nil, usagef("%q is no tag: write it as KEY or KEY=VALUE", text)
		}
		if _, twice := tags[key]; twice {
			return nil, usagef("the tag %s is given twice", key)
		}
		tags[key] = value
	}
	return tags, nil
}

func tagText(tags map[string]string) string {
	var text []string
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		text = append(text, clean(k)+"="+clean(tags[k]))
	}
	return strings.Join(text, " ")
}
