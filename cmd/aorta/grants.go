package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"aorta/web/client"
	"aorta/web/wire"
)

func grantCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "grant NAME CAPABILITY…", Short: "Let an app's containers do more, such as NET_RAW (admins)", Args: takes("NAME", "CAPABILITY…"),
		Example: "  aorta apps grant shop NET_RAW", ValidArgsFunction: once(s.completeApps()),
		RunE: s.onNamedApp(func(ctx context.Context, api *client.Client, app string, args []string) error {
			return s.changeGrants(ctx, api, app, wire.GrantsChange{Grant: args[1:]})
		}),
	}
}

func revokeCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "revoke NAME CAPABILITY…", Short: "Take back what was granted to an app (admins)", Args: takes("NAME", "CAPABILITY…"),
		Example: "  aorta apps revoke shop NET_RAW", ValidArgsFunction: once(s.completeApps()),
		RunE: s.onNamedApp(func(ctx context.Context, api *client.Client, app string, args []string) error {
			return s.changeGrants(ctx, api, app, wire.GrantsChange{Revoke: args[1:]})
		}),
	}
}

func (s *session) changeGrants(ctx context.Context, api *client.Client, app string, change wire.GrantsChange) error {
	g, err := api.ChangeGrants(ctx, app, change)
	if err != nil {
		return err
	}
	s.err.line("%s has of its own: %s; instances that start from now on have it (all of them: aorta ps restart -a %s)", app, granted(g.Capabilities), app)
	if s.flags.json {
		return s.out.json(g)
	}
	return nil
}

func granted(names []string) string {
	return orText(clean(strings.Join(names, ", ")), "none")
}
