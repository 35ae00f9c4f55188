package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aorta/pacemaker/cluster"
	"aorta/web/client"
	"aorta/web/wire"
)

func nodesCommand(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use: "nodes", Short: "List nodes; add new ones",
		RunE: s.onCluster(s.listNodes),
	}
	cmd.AddCommand(
		&cobra.Command{Use: "show NODE", Short: "Show one node", Args: takes("NODE"), Example: "  aorta nodes show n1", ValidArgsFunction: once(s.completeNodes()), RunE: s.onCluster(s.showNode)},
		nodesTokenCommand(s),
	)
	return cmd
}

func (s *session) listNodes(ctx context.Context, api *client.Client, _ []string) error {
	nodes, err := api.Nodes(ctx)
	if err != nil {
		return err
	}
	if s.flags.json {
		return list(s.out, nodes)
	}
	t := s.out.newTable("NAME", "STATE", "ROLES", "ADDRESS", "LOAD", "INSTANCES", "LAST SEEN", "TAGS").onlyWide("ADDRESS", "TAGS")
	for _, n := range nodes {
		t.row(n.Name, nodeStateText(n), strings.Join(n.Roles, ","), n.Address, scoreOf(n), strconv.Itoa(n.Instances), lastSeenOf(n), tagsOf(n))
	}
	return t.print("no nodes yet; add one: aorta nodes token --name NAME --roles heart,router")
}

// nodeStateText is a node's state as people call it.
func nodeStateText(n wire.Node) string {
	if n.State == string(cluster.NodeSuspect) {
		return "silent"
	}
	return n.State
}

func scoreOf(n wire.Node) string {
	if n.Score == nil {
		return "-"
	}
	return fmt.Sprintf("%.2f", *n.Score)
}

func lastSeenOf(n wire.Node) string {
	switch {
	case n.HeardAgo == nil:
		return "never"
	case *n.HeardAgo < 1:
		return "now"
	}
	return span(time.Duration(*n.HeardAgo*float64(time.Second))) + " ago"
}

func tagsOf(n wire.Node) string {
	var tags []string
	for _, k := range slices.Sorted(maps.Keys(n.Tags)) {
		tags = append(tags, k+"="+n.Tags[k])
	}
	return strings.Join(tags, " ")
}

func (s *session) showNode(ctx context.Context, api *client.Client, args []string) error {
	n, err := api.ClusterNode(ctx, args[0])
	if err != nil {
		return err
	}
	if s.flags.json {
		return s.out.json(n)
	}
	generation := ""
	if n.Generation > 0 {
		generation = strconv.FormatUint(n.Generation, 10)
	}
	return s.out.fields("name", n.Name, "id", n.ID, "state", nodeStateText(n), "roles", strings.Join(n.Roles, ", "), "address", n.Address,
		"load", scoreOf(n), "instances", strconv.Itoa(n.Instances), "last seen", lastSeenOf(n), "tags", tagsOf(n),
		"routes", generation, "created", age(s.p.Now(), n.CreatedAt))
}

func nodesTokenCommand(s *session) *cobra.Command {
	var n wire.NewNode
	cmd := &cobra.Command{
		Use: "token --name NAME --roles ROLE,…", Short: "Add a node and print the token that it joins with", Args: takes(),
		Example: "  aorta nodes token --name n2 --roles heart,router",
		RunE: s.onCluster(func(ctx context.Context, api *client.Client, _ []string) error {
			if n.Name == "" {
				return usagef("give the node a name: --name NAME")
			}
			if err := cluster.ValidateNodeName("name", n.Name); err != nil {
				return err
			}
			if _, err := cluster.ParseRoles("roles", n.Roles); err != nil {
				return err
			}
			created, err := api.CreateNode(ctx, n)
			if err != nil {
				return err
			}
			if s.flags.json {
				return s.out.json(created)
			}
			s.err.line("%s joins with this token, which is not shown again, and is a node once it has (another token for that name replaces this one):", clean(created.Name))
			s.out.line("%s", created.Token)
			return nil
		}),
	}
	cmd.Flags().StringVar(&n.Name, "name", "", "the node's name")
	cmd.Flags().StringSliceVar(&n.Roles, "roles", []string{"heart", "router"}, "the node's roles")
	return cmd
}
