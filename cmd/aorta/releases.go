package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"aorta/pacemaker/cluster"
	"aorta/web/client"
	"aorta/web/wire"
)

func releasesCommand(s *session) *cobra.Command {
	var n uint
	cmd := &cobra.Command{
		Use: "releases", Short: "List the app's releases",
		RunE: s.onApp(func(ctx context.Context, api *client.Client, app string, _ []string) error {
			return s.listReleases(ctx, api, app, int(n))
		}),
	}
	cmd.Flags().UintVarP(&n, "lines", "n", 0, "number of releases, newest first; 0 for all")
	cmd.AddCommand(&cobra.Command{
		Use: "info vN", Short: "Show one release", Args: cobra.ExactArgs(1),
		RunE: s.onApp(s.releaseInfo),
	})
	return cmd
}

func (s *session) listReleases(ctx context.Context, api *client.Client, app string, n int) error {
	releases, err := client.Collect(api.Releases(ctx, app), n)
	if err != nil {
		return err
	}
	if s.flags.json {
		return list(s.out, releases)
	}
	t := s.out.newTable("RELEASE", "STATE", "TRAFFIC", "CREATED", "USER", "MESSAGE")
	for _, r := range releases {
		t.row(r.Release, r.State, percent(r.Traffic), age(s.p.Now(), r.CreatedAt), r.User, firstLine(r.Message))
	}
	return t.print("no releases yet; deploy: git push aorta main, or aorta deploy -a " + app)
}

func percent(share float64) string {
	if share == 0 {
		return "-"
	}
	return fmt.Sprintf("%.4g%%", share)
}

func (s *session) releaseInfo(ctx context.Context, api *client.Client, app string, args []string) error {
	label, err := releaseLabel(args[0])
	if err != nil {
		return err
	}
	r, err := api.Release(ctx, app, label)
	if err != nil {
		return err
	}
	if s.flags.json {
		return s.out.json(r)
	}
	return s.out.fields("release", r.Release, "id", r.ID, "state", r.State, "traffic", percent(r.Traffic), "image", r.Image,
		"commit", r.Commit, "created", age(s.p.Now(), r.CreatedAt), "user", r.User, "message", firstLine(r.Message), "error", firstLine(r.Error))
}

// releaseLabel parses v12 or 12 and returns v12.
func releaseLabel(arg string) (string, error) {
	n, err := cluster.ParseReleaseLabel("release", arg)
	if err != nil {
		return "", err
	}
	return cluster.ReleaseLabel(n), nil
}

func rollbackCommand(s *session) *cobra.Command {
	return startsWork(s, &cobra.Command{
		Use: "rollback [vN]", Short: "Roll back to the previous release, or to vN, as a new release", Args: cobra.MaximumNArgs(1),
		RunE: s.onApp(func(ctx context.Context, api *client.Client, app string, args []string) error {
			var to wire.Rollback
			if len(args) > 0 {
				label, err := releaseLabel(args[0])
				if err != nil {
					return err
				}
				to.Release = label
			}
			work, err := api.Rollback(ctx, app, to)
			if err != nil {
				return err
			}
			return s.follow(ctx, api, work, func() { s.printServing(ctx, api, app) })
		}),
	})
}
