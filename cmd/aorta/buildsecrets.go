package main

import (
	"context"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"aorta/pacemaker/cluster"
	"aorta/web/client"
	"aorta/web/wire"
)

func buildSecretCommands(s *session) []*cobra.Command {
	var file string
	set := &cobra.Command{
		Use: "set-secret NAME=VALUE… [--file FILE]", Short: "Set what the app's builds may mount as secrets",
		Example: "  aorta builds set-secret NPM_TOKEN=abc -a shop",
		Long: "A Dockerfile reads a secret with RUN --mount=type=secret,id=NAME, as the file\n" +
			"/run/secrets/NAME. It is in no image, no history and no log, and counts from the\n" +
			"next build on.",
		RunE: s.onApp(func(ctx context.Context, api *client.Client, app string, args []string) error {
			vars, err := s.readVars(configFrom{args: args, file: file})
			if err != nil {
				return err
			}
			return s.setBuildSecrets(ctx, api, app, vars)
		}),
	}
	set.Flags().StringVar(&file, "file", "", "file of NAME=VALUE lines, or - for stdin, so that no value is in the list of processes")
	unset := &cobra.Command{
		Use: "unset-secret NAME…", Short: "Remove build secrets", Args: takes("NAME…"),
		Example: "  aorta builds unset-secret NPM_TOKEN -a shop", ValidArgsFunction: s.completeSecrets(),
		RunE: s.onApp(func(ctx context.Context, api *client.Client, app string, args []string) error {
			return s.changeBuildSecrets(ctx, api, app, wire.BuildSecretsChange{Unset: args})
		}),
	}
	show := &cobra.Command{
		Use: "secrets", Short: "List the names of the app's build secrets", Args: takes(),
		RunE: s.onApp(s.listBuildSecrets),
	}
	return []*cobra.Command{set, unset, show}
}

func (s *session) setBuildSecrets(ctx context.Context, api *client.Client, app string, vars map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		if err := cluster.ValidateSecretName("", name); err != nil {
			return err
		}
		if err := cluster.ValidateConfigValue(name, vars[name]); err != nil {
			return err
		}
	}
	return s.changeBuildSecrets(ctx, api, app, wire.BuildSecretsChange{Set: vars})
}

func (s *session) changeBuildSecrets(ctx context.Context, api *client.Client, app string, change wire.BuildSecretsChange) error {
	after, err := api.ChangeBuildSecrets(ctx, app, change)
	if err != nil {
		return err
	}
	s.err.line("builds of %s have %s from the next one on", app, count(len(after.Names), "secret"))
	if s.flags.json {
		return list(s.out, after.Names)
	}
	return nil
}

func (s *session) listBuildSecrets(ctx context.Context, api *client.Client, app string, _ []string) error {
	secrets, err := api.BuildSecrets(ctx, app)
	if err != nil {
		return err
	}
	if s.flags.json {
		return list(s.out, secrets.Names)
	}
	if len(secrets.Names) == 0 {
		s.err.line("no build secrets yet; set one: aorta builds set-secret NAME=VALUE -a %s", app)
		return nil
	}
	for _, name := range secrets.Names {
		s.out.line("%s", clean(name))
	}
	return nil
}
