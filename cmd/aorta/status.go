package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"aorta/web/client"
	"aorta/web/wire"
)

func statusCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show the cluster's health and running jobs", Args: takes(),
		Long: "status shows the cluster's health, apps, nodes and running jobs.\n\n" + foundExits,
		RunE: s.onCluster(s.showStatus),
	}
}

// foundExits is for whoever asks in a script: that the cluster could be asked is success.
const foundExits = "It ends with 0 whatever it finds; a script reads severity, which is ok, warn or\nbad, of what it prints with --json."

// nodesOf counts the nodes by state. A pacemaker of an earlier version has no text for it.
func nodesOf(st wire.Status) string {
	if st.NodesText != "" {
		return clean(st.NodesText)
	}
	return fmt.Sprintf("%d of %d nodes ready", st.NodesReady, st.Nodes)
}

func (s *session) showStatus(ctx context.Context, api *client.Client, _ []string) error {
	st, err := api.Status(ctx)
	if err != nil {
		return err
	}
	if s.flags.json {
		return s.out.json(st)
	}
	health := s.out.paint(good, "● healthy")
	switch {
	case st.Severity == "bad":
		health = s.out.paint(bad, "■ critical")
	case st.State != "ok":
		health = s.out.paint(warning, "▲ needs attention")
	}
	s.out.line("%s: %s, %s running, %s", health, count(st.Apps, "app"), count(st.Instances, "instance"), nodesOf(st))
	for _, r := range st.Reasons {
		s.out.sentence("  ", r)
	}
	for _, n := range st.Notes {
		s.out.sentence("  ", n)
	}
	s.out.line("")
	if err := s.statusApps(ctx, api, st.Reasons); err != nil {
		return err
	}
	s.out.line("")
	if err := s.statusNodes(ctx, api); err != nil {
		return err
	}
	if len(st.OpenJobs) > 0 {
		s.out.line("\nrunning jobs:")
	}
	for _, j := range st.OpenJobs {
		outline{out: s.out, now: s.p.Now()}.job(j, 1)
	}
	if more := st.OpenJobsCount - len(st.OpenJobs); more > 0 {
		s.out.line("  … and %d more that wait: aorta jobs", more)
	}
	s.out.line("")
	return s.out.fields("cluster", st.Cluster, "version", st.Version,
		"routes", fmt.Sprintf("epoch %d, generation %d", st.Epoch, st.Generation))
}

// glanced is how many apps and nodes status names.
const glanced = 10

// statusApps names apps; what is told of one already, it does not tell whole again.
func (s *session) statusApps(ctx context.Context, api *client.Client, told []string) error {
	apps, err := client.Collect(api.Apps(ctx), glanced+1)
	if err != nil {
		return err
	}
	t := s.out.newTable("APP", "RELEASE", "INSTANCES", "STATE", "URL").orBelow("URL", "STATE")
	t.told = told
	for _, a := range apps[:min(len(apps), glanced)] {
		t.row(a.Name, orText(a.Release, "-"), instancesOf(a), a.Verdict, orText(a.URL, "-"))
	}
	err = t.print("no apps yet; create one: aorta apps create NAME")
	if len(apps) > glanced {
		s.out.line("… all of them: aorta apps")
	}
	return err
}

func (s *session) statusNodes(ctx context.Context, api *client.Client) error {
	nodes, err := api.Nodes(ctx)
	if err != nil {
		return err
	}
	t := s.out.newTable("NODE", "STATE", "ROLES", "INSTANCES")
	for _, n := range nodes[:min(len(nodes), glanced)] {
		t.row(n.Name, nodeStateOf(n), strings.Join(n.Roles, ","), hadInstances(n))
	}
	err = t.print("no nodes yet")
	if len(nodes) > glanced {
		s.out.line("… all of them: aorta nodes")
	}
	return err
}

// count formats a number of things: 1 app, 2 apps.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
