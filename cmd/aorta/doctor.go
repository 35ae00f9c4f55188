package main

import (
	"context"

	"github.com/spf13/cobra"

	"aorta/web/client"
)

func doctorCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Say what is wrong with the cluster and what to do", Args: takes(),
		Long: "doctor says what is wrong with the cluster, the worst first, and what to do.\n\n" + foundExits,
		RunE: s.onCluster(s.diagnose),
	}
}

// diagnose prints what is wrong, the worst first, one fact a line; it fails only if
// the cluster can't be asked.
func (s *session) diagnose(ctx context.Context, api *client.Client, _ []string) error {
	st, err := api.Status(ctx)
	if err != nil {
		return err
	}
	if s.flags.json {
		return s.out.json(st)
	}
	if len(st.Reasons) == 0 {
		s.out.line("%s", s.out.paint(good, "● nothing is wrong"))
	}
	for i, r := range st.Reasons {
		mark := s.out.paint(warning, "▲")
		if i < st.Critical || i == 0 && st.Severity == "bad" { // the latter of a pacemaker that counts none
			mark = s.out.paint(bad, "■")
		}
		s.out.sentence(mark+" ", r)
	}
	for _, n := range st.Notes {
		s.out.sentence("  ", n)
	}
	return nil
}
