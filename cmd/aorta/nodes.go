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
		Use: "nodes", Short: "List nodes; add, drain, tag and remove them",
		RunE: s.onCluster(s.listNodes),
	}
	cmd.AddCommand(
		&cobra.Command{Use: "show NODE", Short: "Show one node", Args: takes("NODE"), Example: "  aorta nodes show n1", ValidArgsFunction: once(s.completeNodes()), RunE: s.onCluster(s.showNode)},
		nodesTokenCommand(s), nodesRemoveCommand(s), nodesDrainCommand(s), nodesUndrainCommand(s), nodesDeclareDeadCommand(s), nodesTagCommand(s),
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
		t.row(n.Name, nodeStateOf(n), strings.Join(n.Roles, ","), n.Address, scoreOf(n), hadInstances(n), lastSeenOf(n), tagText(n.Tags))
	}
	return t.print("no nodes yet; add one: aorta nodes token")
}

// nodeStateOf is a node's state in a word: held is one that is ready and gets nothing
// new for a while.
func nodeStateOf(n wire.Node) string {
	if n.State == string(cluster.NodeReady) && n.HeldUntil != nil {
		return "held"
	}
	return n.State
}

// silent says that what is known of a node is what was heard of it last.
func silent(n wire.Node) bool {
	return n.State == string(cluster.NodeSuspect) || n.State == string(cluster.NodeDead)
}

// hadInstances is how many instances a node has, or had when it was heard last.
func hadInstances(n wire.Node) string {
	text := strconv.Itoa(n.Instances)
	if silent(n) && n.Instances > 0 && n.HeardAgo != nil {
		text += " (" + lastSeenOf(n) + ")"
	}
	return text
}

func scoreOf(n wire.Node) string {
	if n.Score == nil || silent(n) {
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
	residents, err := api.NodeInstances(ctx, args[0])
	if err != nil {
		return err
	}
	generation := ""
	if n.Generation > 0 {
		generation = strconv.FormatUint(n.Generation, 10)
	}
	if err := s.out.fields("name", n.Name, "id", n.ID, "state", s.explainState(n), "roles", strings.Join(n.Roles, ", "), "address", n.Address, "not shown yet", strings.Join(n.Unshown, ", "),
		"load", loadOf(n), "instances", hadInstances(n), "last seen", lastSeenOf(n),
		"routes", generation, "joined", age(s.p.Now(), n.CreatedAt)); err != nil {
		return err
	}
	if err := s.explainNode(n); err != nil {
		return err
	}
	return s.showResidents(residents)
}

// explainState is a node's state with its time, and what else keeps instances away.
func (s *session) explainState(n wire.Node) string {
	text := nodeStateOf(n)
	if n.Since != nil {
		text += " for " + span(s.p.Now().Sub(*n.Since))
	}
	if n.Draining && silent(n) {
		text += ", to be drained"
	}
	if n.HeldUntil != nil {
		text += fmt.Sprintf(": it was dead, and while others have room it gets nothing new until %s UTC", n.HeldUntil.UTC().Format(time.TimeOnly))
	}
	return text
}

// showResidents prints what is on a node, and below each what becomes of it.
func (s *session) showResidents(list []wire.NodeInstance) error {
	if len(list) == 0 {
		return nil
	}
	s.out.line("")
	t := s.out.newTable("INSTANCE", "APP", "RELEASE", "STATE")
	for _, i := range list {
		t.row(instanceName(i.Type, i.ID), i.App, i.Release, i.Verdict)
		switch {
		case i.Work != nil:
			t.note(i.Work.Title + " (see aorta jobs show " + cluster.ID(i.Work.ID).Short() + ")")
		case i.Next != "":
			t.note(i.Next)
		}
	}
	return t.print("")
}

// loadOf is a node's score with the part that makes it.
func loadOf(n wire.Node) string {
	text := scoreOf(n)
	for _, p := range n.ScoreParts {
		if !silent(n) && n.Score != nil && p.Value == *n.Score && p.Value > 0 {
			return text + " (" + p.Name + ")"
		}
	}
	return text
}

// explainNode prints what the load is made of and where each tag comes from.
func (s *session) explainNode(n wire.Node) error {
	if len(n.ScoreParts) > 0 && !silent(n) {
		s.out.line("")
		t := s.out.newTable("LOAD", "0 TO 1", "WHAT")
		for _, p := range n.ScoreParts {
			t.row(p.Name, fmt.Sprintf("%.2f", p.Value), p.Text)
		}
		if err := t.print(""); err != nil {
			return err
		}
	}
	if len(n.Tags) == 0 {
		return nil
	}
	s.out.line("")
	t := s.out.newTable("TAG", "VALUE", "FROM")
	for _, key := range slices.Sorted(maps.Keys(n.Tags)) {
		t.row(key, n.Tags[key], tagFrom(n.TagSources[key]))
	}
	return t.print("")
}

// tagFrom says in words where a tag comes from.
func tagFrom(source string) string {
	switch cluster.TagSource(source) {
	case cluster.TagSet:
		return "set (aorta nodes tag, or its join token)"
	case cluster.TagConfigured:
		return "the node's configuration"
	case cluster.TagProgram:
		return "the node's tags_program"
	case cluster.TagCloud:
		return "the cloud's metadata service"
	case cluster.TagPlatform:
		return "the node's system"
	}
	return "the node"
}
