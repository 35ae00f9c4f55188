package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"aorta/pacemaker/cluster"
	"aorta/web/client"
)

// gitCommand has git:remote, as Heroku has it.
func gitCommand(s *session) *cobra.Command {
	cmd := &cobra.Command{Use: "git", Short: "Let this git repository push to an app"}
	cmd.AddCommand(&cobra.Command{
		Use: "remote [APP]", Short: "Set remote and login of this repository for an app that exists",
		Long: "remote sets the git remote \"aorta\" to the app, and git's credential helper for\n" +
			"it, in this repository alone, so that git push aorta main works: in a new clone,\n" +
			"or where one of the two is missing or old.",
		Example: "  aorta git:remote -a shop\n  git push aorta main",
		Args:    takes("[APP]"), ValidArgsFunction: once(s.completeApps()),
		RunE: s.inRepository(s.onNamedApp(s.attach)),
	})
	return cmd
}

// inRepository refuses a command outside a git repository before anything is asked.
func (s *session) inRepository(run func(*cobra.Command, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		_, err := s.git(cmd.Context(), "rev-parse", "--git-dir")
		switch {
		case err == nil:
			return run(cmd, args)
		case strings.Contains(err.Error(), "not a git repository"):
			return cluster.NotFound("there is no git repository here (run this in your app's, or make one: git init -b main)")
		}
		return err
	}
}

// attach makes the repository push to an app.
func (s *session) attach(ctx context.Context, api *client.Client, app string, _ []string) error {
	a, err := api.App(ctx, app)
	if err != nil {
		return err
	}
	want := remoteURL(s.endpoint.url, a.Name)
	raw, _ := s.git(ctx, "config", "--get", "remote."+remoteName+".url") // none is as good as an old one
	if err := s.setRemote(ctx, want); err != nil {
		return err
	}
	if err := s.setCredentialHelper(ctx); err != nil {
		return err
	}
	if was := strings.TrimSpace(raw); was != "" && was != want {
		s.err.line("git remote %s was %s", remoteName, clean(was))
	}
	s.err.line("git remote %s is %s; deploy: git push %[1]s main", remoteName, want)
	return nil
}
