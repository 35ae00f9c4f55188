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
		Use: "git-credential get|store|erase", Hidden: true, Args: cobra.ExactArgs(1),
		Short: "Give git the token of a context",
		RunE: func(cmd *cobra.Command, args []string) error {
			asked := readCredential(s.in)
			if args[0] != "get" {
				return nil // the contexts' file is where tokens are kept
			}
			if err := s.findDoor(cmd.Context()); err != nil {
				return err
			}
			// Another host than the context's must not learn the token.
			if !sameServer(s.door.url, asked["protocol"]+"://"+asked["host"]) {
				return nil
			}
			s.out.line("username=aorta\npassword=%s", s.door.token)
			return nil
		},
	}
}

// readCredential reads git's lines of key=value up to a blank one.
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
