package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"aorta/web/client"
)

func statusCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show the cluster at a glance", Args: cobra.NoArgs,
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
	mark := s.out.paint(good, "●")
	if st.State != "ok" {
		mark = s.out.paint(bad, "▲")
	}
	s.out.line("%s %s: %d apps, %d instances, %d of %d nodes ready", mark, clean(st.State), st.Apps, st.Instances, st.NodesReady, st.Nodes)
	for _, r := range st.Reasons {
		s.out.line("  %s", cleanBlock(r))
	}
	for _, j := range st.OpenJobs {
		outline{out: s.out, now: s.p.Now()}.job(j, 1)
	}
	return s.out.fields("cluster", st.Cluster, "version", st.Version,
		"routes", fmt.Sprintf("epoch %d, generation %d", st.Epoch, st.Generation))
}
