package main

import (
	"context"

	"github.com/spf13/cobra"

	"aorta/web/client"
	"aorta/web/wire"
)

func buildsCommand(s *session) *cobra.Command {
	cmd := &cobra.Command{Use: "builds", Short: "End a build; build an image again that is gone; set what builds may mount as secrets"}
	cmd.AddCommand(append(buildSecretCommands(s), rebuildCommand(s), cancelBuildCommand(s))...)
	return cmd
}

func cancelBuildCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "cancel [BUILD]", Short: "End the app's build that runs or waits, and its job", Args: cobra.MaximumNArgs(1),
		Long: "The job that the build is part of is aborted; what serves goes on. BUILD is the id of the build or of its job,\n" +
			"and is needed when the app has several.",
		RunE: s.onApp(func(ctx context.Context, api *client.Client, app string, args []string) error {
			var which wire.CancelBuild
			if len(args) > 0 {
				which.Build = args[0]
			}
			work, err := api.CancelBuild(ctx, app, which)
			if err != nil {
				return err
			}
			return s.aborting(work, work.Job)
		}),
	}
}

func rebuildCommand(s *session) *cobra.Command {
	return startsWork(s, &cobra.Command{
		Use: "rebuild [vN]", Short: "Build the image of the present release, or of vN, again if it is gone", Args: cobra.MaximumNArgs(1),
		Long: "An image that is gone from the engine is built again by itself when an instance needs it. This does the same at once.\n" +
			"An image that came from a registry is pulled again.",
		RunE: s.onApp(func(ctx context.Context, api *client.Client, app string, args []string) error {
			var of wire.Rebuild
			if len(args) > 0 {
				label, err := releaseLabel(args[0])
				if err != nil {
					return err
				}
				of.Release = label
			}
			work, err := api.Rebuild(ctx, app, of)
			if err != nil {
				return err
			}
			return s.follow(ctx, api, work, nil)
		}),
	})
}
