package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/steps"
	"aorta/web/client"
	"aorta/web/wire"
)

func buildsCommand(s *session) *cobra.Command {
	var n uint
	cmd := &cobra.Command{
		Use: "builds", Short: "List the app's builds; cancel them",
		Long: "Each build goes by the id of its job. What comes after a build may fail although\nthe build has succeeded: aorta jobs has that.",
		RunE: s.onApp(func(ctx context.Context, api *client.Client, app string, _ []string) error {
			return s.listBuilds(ctx, api, app, int(n))
		}),
	}
	cmd.Flags().UintVarP(&n, "lines", "n", 30, "number of builds, newest first; 0 for all")
	show := showJobCommand(s)
	show.Short, show.Example = "Show a deploy with its steps and errors, or its full log", "  aorta builds show 1a2b3c4d"
	cmd.AddCommand(append(buildSecretCommands(s), show, rebuildCommand(s), cancelBuildCommand(s))...)
	return cmd
}

func (s *session) listBuilds(ctx context.Context, api *client.Client, app string, n int) error {
	builds, err := client.Collect(api.Builds(ctx, app), n)
	if err != nil {
		return err
	}
	if s.flags.json {
		return list(s.out, builds)
	}
	t := s.out.newTable("ID", "SOURCE", "STATE", "CACHED", "SIZE", "CREATED", "TOOK", "RELEASE", "USER", "MESSAGE").onlyWide("USER", "MESSAGE")
	for _, b := range builds {
		t.row(s.shownID(b.ID), sourceOf(b), stateWord(b.State), cachedOf(b), sizeOf(b), age(s.p.Now(), b.CreatedAt), tookOf(b), orText(b.Release, "-"), userOf(b.User), firstLine(b.Message))
		t.note(firstLine(b.Error))
	}
	return t.print("no builds yet; deploy: git push aorta main, or aorta deploy -a " + app)
}

const shortSum = 10 // of a commit, as titles of jobs have it

func sourceOf(b wire.Build) string {
	switch {
	case b.Kind == string(cluster.SourceArchive):
		return "archive"
	case b.Kind == string(cluster.SourceCommit) && len(b.Source) > shortSum:
		return b.Source[:shortSum]
	}
	return b.Source
}

// cachedOf says how many of a build's steps were taken from the cache.
func cachedOf(b wire.Build) string {
	if b.Steps == 0 {
		return "-"
	}
	return fmt.Sprintf("%d of %d", b.Cached, b.Steps)
}

func sizeOf(b wire.Build) string {
	if b.Size == 0 {
		return "-"
	}
	return megabytes(b.Size)
}

func tookOf(b wire.Build) string {
	if b.Duration == 0 {
		return "-"
	}
	return steps.Took(time.Duration(b.Duration * float64(time.Second)))
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
