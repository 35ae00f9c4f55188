package main

import (
	"bufio"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// credentialCommand is git's credential helper for the cluster of a context.
func credentialCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "git-credential get|store|erase", Hidden: true, Args: takes("get|store|erase"),
		Short: "Git credential helper that returns a context's token",
		RunE: func(cmd *cobra.Command, args []string) error {
			asked := readCredential(s.in)
			if args[0] != "get" {
				return nil // tokens are stored in the contexts' file alone
			}
			if err := s.findEndpoint(cmd.Context()); err != nil {
				return err
			}
			// The token goes to its own cluster only.
			if !sameServer(s.endpoint.url, asked["protocol"]+"://"+asked["host"]) {
				return nil
			}
			s.out.line("username=aorta\npassword=%s", s.endpoint.token)
			return nil
		},
	}
}

// readCredential parses git's key=value lines up to an empty one.
func readCredential(r io.Reader) map[string]string {
	asked := map[string]string{}
	lines := bufio.NewScanner(io.LimitReader(r, 64<<10))
	for lines.Scan() && lines.Text() != "" {
		if k, v, ok := strings.Cut(lines.Text(), "="); ok {
			asked[k] = v
		}
	}
	return asked
}
