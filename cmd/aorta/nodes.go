package main

import (
	"context"
	"fmt"
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
		nodesTokenCommand(s), nodesRemoveCommand(s), nodesTagCommand(s),
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
		t.row(n.Name, nodeStateText(n), strings.Join(n.Roles, ","), n.Address, scoreOf(n), strconv.Itoa(n.Instances), lastSeenOf(n), tagText(n.Tags))
	}
	return t.print("no nodes yet; add one: aorta nodes token")
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
		"load", scoreOf(n), "instances", strconv.Itoa(n.Instances), "last seen", lastSeenOf(n), "tags", tagText(n.Tags),
		"routes", generation, "joined", age(s.p.Now(), n.CreatedAt))
}
