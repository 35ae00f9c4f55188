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
		Use: "nodes", Short: "List the cluster's nodes; let new ones in",
		RunE: s.onCluster(s.listNodes),
	}
	cmd.AddCommand(
		&cobra.Command{Use: "show NODE", Short: "Show one node", Args: cobra.ExactArgs(1), RunE: s.onCluster(s.showNode)},
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
	t := s.out.newTable("NAME", "STATE", "ROLES", "ADDRESS", "SCORE", "INSTANCES", "HEARD", "TAGS")
	for _, n := range nodes {
		t.row(n.Name, n.State, strings.Join(n.Roles, ","), n.Address, scoreOf(n), strconv.Itoa(n.Instances), heardOf(n), tagsOf(n))
	}
	return t.print("no node yet; let one in: aorta nodes token --name NAME --roles heart,router")
}

func scoreOf(n wire.Node) string {
	if n.Score == nil {
		return "-"
	}
	return fmt.Sprintf("%.2f", *n.Score)
}

func heardOf(n wire.Node) string {
	switch {
	case n.HeardAgo == nil:
		return "not yet"
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
	return s.out.fields("name", n.Name, "id", n.ID, "state", n.State, "roles", strings.Join(n.Roles, ", "), "address", n.Address,
		"score", scoreOf(n), "instances", strconv.Itoa(n.Instances), "heard", heardOf(n), "tags", tagsOf(n),
		"routes", generation, "created", age(s.p.Now(), n.CreatedAt))
}

func nodesTokenCommand(s *session) *cobra.Command {
	var n wire.NewNode
	cmd := &cobra.Command{
		Use: "token --name NAME --roles ROLE,…", Short: "Print the token that lets a new node in, alone on the output", Args: cobra.NoArgs,
		RunE: s.onCluster(func(ctx context.Context, api *client.Client, _ []string) error {
			if n.Name == "" {
				return usagef("what is the node to be called? Name it with --name")
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
			s.err.line("node %s may join with this token, which is shown this once", clean(created.Name))
			s.out.line("%s", created.Token)
			return nil
		}),
	}
	cmd.Flags().StringVar(&n.Name, "name", "", "the node's name")
	cmd.Flags().StringSliceVar(&n.Roles, "roles", []string{"heart", "router"}, "the node's roles")
	return cmd
}
