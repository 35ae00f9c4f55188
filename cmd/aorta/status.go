package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"aorta/web/client"
)

func statusCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show the cluster's health and running jobs", Args: takes(),
		RunE: s.onCluster(s.showStatus),
	}
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
	if st.State != "ok" {
		health = s.out.paint(bad, "▲ needs attention")
	}
	s.out.line("%s: %s, %s running, %d of %d nodes ready", health, count(st.Apps, "app"), count(st.Instances, "instance"), st.NodesReady, st.Nodes)
	for _, r := range st.Reasons {
		s.out.line("  %s", cleanBlock(r))
	}
	for _, n := range st.Notes {
		s.out.line("  %s", cleanBlock(n))
	}
	if len(st.OpenJobs) > 0 {
		s.out.line("  running jobs:")
	}
	for _, j := range st.OpenJobs {
		outline{out: s.out, now: s.p.Now()}.job(j, 2)
	}
	return s.out.fields("cluster", st.Cluster, "version", st.Version,
		"routes", fmt.Sprintf("epoch %d, generation %d", st.Epoch, st.Generation))
}

// count formats a number of things: 1 app, 2 apps.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
