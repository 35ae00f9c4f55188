package main

import (
	"net/url"

	"github.com/spf13/cobra"

	"aorta/web/client/contexts"
)

func loginCommand(s *session) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use: "login URL --token -", Short: "Log in to a cluster and save it as a context",
		Long: "login reads a token from stdin, checks it, and saves it with the URL as a\n" +
			"context. Later commands use that context.",
		Example: "  aorta login http://127.0.0.1:7420 --token - < admin.token",
		Args:    takes("URL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			token, err := s.tokenFlag()
			if err != nil {
				return err
			}
			if token == "" {
				return usagef("no token given; pass it on stdin: aorta login %s --token - < FILE", clean(args[0]))
			}
			return s.login(cmd, name, contexts.Context{URL: args[0], Token: token})
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "name of the context (default: the cluster's host)")
	return cmd
}

func (s *session) login(cmd *cobra.Command, name string, c contexts.Context) error {
	s.endpoint = endpoint{url: c.URL, urlFrom: "the command line", token: c.Token, tokenFrom: "stdin"}
	api, err := s.connect(s.endpoint)
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
	s.err.line("logged in to %s as %s (%s); saved as context %s in %s", c.URL, clean(who.User), clean(who.Role), clean(name), path)
	return nil
}

func logoutCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "logout", Short: "Forget the current context with its token", Args: takes(),
		Long: "logout removes the current context, or that of --context, from this machine.\nThe token itself stays valid.",
		RunE: func(*cobra.Command, []string) error {
			path, err := contexts.Path(s.p.Getenv)
			if err != nil {
				return err
			}
			file, err := contexts.Load(path)
			if err != nil {
				return err
			}
			if file.Current == "" && s.flags.context == "" {
				s.err.line("not logged in")
				return nil
			}
			return s.removeContext(s.flags.context)
		},
	}
}

func whoamiCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "whoami", Short: "Show your user and role", Args: takes(),
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
				"version", who.Version, "address", api.URL(), "context", s.endpoint.context)
		},
	}
}
