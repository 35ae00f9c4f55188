package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"aorta/pacemaker/cluster"
	"aorta/web/client"
	"aorta/web/wire"
)

func appsCommand(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use: "apps", Short: "List apps; create, rename and destroy them",
		RunE: s.onCluster(s.listApps),
	}
	create := &cobra.Command{
		Use: "create NAME", Short: "Create an app and add its git remote to this repository",
		Example: "  aorta apps create shop",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && s.flags.app != "" {
				return nil // apps create -a shop
			}
			return takes("NAME")(cmd, args)
		},
		RunE: s.onCluster(s.createApp),
	}
	info := &cobra.Command{
		Use: "info [NAME]", Short: "Show an app's URL, hostnames and release", Args: takes("[NAME]"),
		Example: "  aorta apps info shop", ValidArgsFunction: once(s.completeApps()),
		RunE: s.onNamedApp(s.appInfo),
	}
	rename := &cobra.Command{
		Use: "rename NEW", Short: "Rename the app", Args: takes("NEW"),
		Example: "  aorta apps rename store -a shop",
		RunE:    s.onApp(s.renameApp),
	}
	cmd.AddCommand(create, info, rename, destroyCommand(s), grantCommand(s), revokeCommand(s))
	return cmd
}

// onNamedApp is onApp for commands that also take the app as an argument.
func (s *session) onNamedApp(run func(ctx context.Context, api *client.Client, app string, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			s.flags.app = args[0]
		}
		return s.onApp(run)(cmd, args)
	}
}

func (s *session) listApps(ctx context.Context, api *client.Client, _ []string) error {
	apps, err := client.Collect(api.Apps(ctx), 0)
	if err != nil {
		return err
	}
	if s.flags.json {
		return list(s.out, apps)
	}
	t := s.out.newTable("NAME", "RELEASE", "INSTANCES", "STATE", "URL", "CREATED").onlyWide("CREATED").orBelow("URL", "STATE")
	for _, a := range apps {
		t.row(a.Name, orText(a.Release, "-"), instancesOf(a), a.Verdict, orText(a.URL, "-"), age(s.p.Now(), a.CreatedAt))
	}
	return t.print("no apps yet; create one: aorta apps create NAME")
}

func instancesOf(a wire.App) string { return fmt.Sprintf("%d/%d", a.Instances, a.Wanted) }

func (s *session) createApp(ctx context.Context, api *client.Client, args []string) error {
	name := append(args, s.flags.app)[0]
	if err := cluster.ValidateName("name", name); err != nil {
		return err
	}
	a, err := api.CreateApp(ctx, name)
	if err != nil {
		return err
	}
	s.err.line("created %s; its URL will be %s", clean(a.Name), clean(a.URL))
	// The app exists: a remote that can't be added is reported and no failure.
	if err := s.addRemote(ctx, a.Name); err != nil {
		s.err.line("%s", cleanBlock(err.Error()))
	}
	if s.flags.json {
		return s.out.json(a)
	}
	return nil
}

func (s *session) appInfo(ctx context.Context, api *client.Client, app string, _ []string) error {
	a, err := api.App(ctx, app)
	if err != nil {
		return err
	}
	if s.flags.json {
		return s.out.json(a)
	}
	return s.out.fields("name", a.Name, "id", a.ID, "release", orText(a.Release, "none yet"), "state", a.Verdict, "instances", instancesOf(a),
		"url", orText(a.URL, "none: it has no web process"), "hosts", strings.Join(a.Hosts, ", "), "git", a.GitHTTP, "granted", granted(a.Grants), "created", age(s.p.Now(), a.CreatedAt))
}

func (s *session) renameApp(ctx context.Context, api *client.Client, app string, args []string) error {
	if err := cluster.ValidateName("name", args[0]); err != nil {
		return err
	}
	a, err := api.App(ctx, app)
	if err != nil {
		return err
	}
	a, err = api.RenameApp(ctx, app, wire.RenameApp{Name: args[0], Version: a.Version})
	if err != nil {
		return err
	}
	s.err.line("renamed %s to %s; its URL is now %s", app, clean(a.Name), clean(a.URL))
	if err := s.moveRemote(ctx, app, a.Name); err != nil {
		s.err.line("%s", cleanBlock(err.Error()))
	}
	if s.flags.json {
		return s.out.json(a)
	}
	return nil
}

func destroyCommand(s *session) *cobra.Command {
	var confirm string
	cmd := &cobra.Command{
		Use: "destroy NAME --confirm NAME", Short: "Delete an app with its instances, releases, config and logs", Args: takes("[NAME]"),
		Example: "  aorta apps destroy shop --confirm shop", ValidArgsFunction: once(s.completeApps()),
		RunE: s.onNamedApp(func(ctx context.Context, api *client.Client, app string, _ []string) error {
			if confirm != app {
				return usagef("this deletes %s with its instances, releases, config and logs and can't be undone; to confirm: aorta apps destroy %s --confirm %s", app, app, app)
			}
			work, err := api.DestroyApp(ctx, app)
			if err != nil {
				return err
			}
			return s.follow(ctx, api, work, func() { s.err.line("destroyed %s", app) })
		}),
	}
	cmd.Flags().StringVar(&confirm, "confirm", "", "the app's name, to confirm")
	return startsWork(s, cmd)
}
