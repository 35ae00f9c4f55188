package main

import (
	"context"

	"github.com/spf13/cobra"

	"aorta/pacemaker/cluster"
	"aorta/web/client"
	"aorta/web/wire"
)

func buildsCommand(s *session) *cobra.Command {
	var n uint
	cmd := &cobra.Command{
		Use: "builds", Short: "List the app's deploys with their builds; cancel them",
		RunE: s.onApp(func(ctx context.Context, api *client.Client, app string, _ []string) error {
			return s.listJobs(ctx, api, client.JobQuery{App: app, Kind: string(cluster.OpDeploy)}, int(n))
		}),
	}
	cmd.Flags().UintVarP(&n, "lines", "n", 30, "number of deploys, newest first; 0 for all")
	show := showJobCommand(s)
	show.Short, show.Example = "Show a deploy with its steps and errors, or its full log", "  aorta builds show 1a2b3c4d"
	cmd.AddCommand(append(buildSecretCommands(s), show, rebuildCommand(s), cancelBuildCommand(s))...)
	return cmd
}

func cancelBuildCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "cancel [BUILD]", Short: "End the app's build that runs or waits, and its job", Args: takes("[BUILD]"),
		Example: "  aorta builds cancel -a shop", ValidArgsFunction: once(s.completeJobs(client.JobQuery{Kind: string(cluster.OpDeploy), State: "open"})),
		Long: "The job that the build is part of is cancelled; what serves goes on. BUILD is\n" +
			"the id of the build or of its job, and is needed when the app has several.",
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
		Use: "rebuild [vN]", Short: "Build the image of a release again if it is gone", Args: takes("[vN]"),
		Example: "  aorta builds rebuild v3 -a shop", ValidArgsFunction: once(s.completeReleases()),
		Long: "An image that is gone from the engine is built again by itself when an instance\n" +
			"needs it. This does the same at once, by default for the present release.\n" +
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
