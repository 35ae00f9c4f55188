package main

import (
	"net/url"

	"github.com/spf13/cobra"

	"aorta/web/client/contexts"
)

func loginCommand(s *session) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use: "login URL --token -", Short: "Keep a cluster's address and token as a context",
		Long: "login checks the token, read from the input, and keeps it with the address under a name.\n" +
			"The context becomes the current one.",
		Example: "  aorta login http://127.0.0.1:7420 --token - < admin.token",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			token, err := s.tokenFlag()
			if err != nil {
				return err
			}
			if token == "" {
				return usagef("no token is given; hand it over on the input: aorta login %s --token -", clean(args[0]))
			}
			return s.login(cmd, name, contexts.Context{URL: args[0], Token: token})
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "name of the context (default: the cluster's host)")
	return cmd
}

func (s *session) login(cmd *cobra.Command, name string, c contexts.Context) error {
	s.door = door{url: c.URL, urlFrom: "the command line", token: c.Token, tokenFrom: "the input"}
	api, err := s.connect(s.door)
	if err != nil {
		return err
	}
	s.api = api
	who, err := api.Whoami(cmd.Context())
	if err != nil {
		return err
	}
	path, err := contexts.Path(s.p.Getenv)
	if err != nil {
		return err
	}
	c.URL = api.URL()
	if name == "" {
		u, err := url.Parse(c.URL)
		if err != nil {
			return err
		}
		name = u.Host
	}
	err = contexts.Change(path, func(f *contexts.File) error {
		f.Contexts[name] = c
		f.Current = name
		return nil
	})
	if err != nil {
		return err
	}
	s.err.line("logged in to %s as %s (%s); context %s in %s", c.URL, clean(who.User), clean(who.Role), clean(name), path)
	return nil
}

func whoamiCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "whoami", Short: "Show who you are to the cluster", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			api, err := s.client(cmd.Context())
			if err != nil {
				return err
			}
			who, err := api.Whoami(cmd.Context())
			if err != nil {
				return err
			}
			if s.flags.json {
				return s.out.json(who)
			}
			return s.out.fields("user", who.User, "role", who.Role, "cluster", who.Cluster,
				"version", who.Version, "address", api.URL(), "context", s.door.context)
		},
	}
}
