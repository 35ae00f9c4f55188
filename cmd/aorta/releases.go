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
		Use: "info vN", Short: "Show one release", Args: takes("vN"),
		Example: "  aorta releases info v3 -a shop", ValidArgsFunction: once(s.completeReleases()),
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
		"commit", r.Commit, "created", age(s.p.Now(), r.CreatedAt), "user", r.User, "message", r.Message, "error", r.Error)
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
	var codeOnly bool
	cmd := startsWork(s, &cobra.Command{
		Use: "rollback [vN]", Short: "Go back to an earlier release, code and config vars", Args: takes("[vN]"),
		Example: "  aorta rollback v3 -a shop", ValidArgsFunction: once(s.completeReleases()),
		Long: "Go back to an earlier release as it was, code and config vars, as a new release.\nWithout vN it is the newest one before the present one that served and was not\nrolled back from.",
		RunE: s.onApp(func(ctx context.Context, api *client.Client, app string, args []string) error {
			to := wire.Rollback{CodeOnly: codeOnly}
			if len(args) > 0 {
				label, err := releaseLabel(args[0])
				if err != nil {
					return err
				}
				to.Release = label
			}
			return s.rollback(ctx, api, app, to)
		}),
	})
	cmd.Flags().BoolVar(&codeOnly, "code-only", false, "leave the config vars as they are")
	return cmd
}

// rollback says what changes before it asks for that, and for no other release
// than the one it has named.
func (s *session) rollback(ctx context.Context, api *client.Client, app string, to wire.Rollback) error {
	plan, err := api.PlanRollback(ctx, app, to)
	if err != nil {
		return err
	}
	if !s.flags.detach {
		s.err.line("%s", clean(planned(app, plan)))
	}
	to.Release = plan.Release
	work, err := api.Rollback(ctx, app, to)
	if err != nil {
		return err
	}
	return s.follow(ctx, api, work, func() { s.printServing(ctx, api, app) })
}

// planned says what a rollback changes.
func planned(app string, plan wire.RollbackPlan) string {
	to := plan.Release
	if about := firstLine(plan.Message); about != "" {
		to += " (" + about + ")"
	}
	var says []string
	if len(plan.Set) > 0 {
		says = append(says, "set as it was then: "+strings.Join(plan.Set, " "))
	}
	if len(plan.Unset) > 0 {
		says = append(says, "unset: "+strings.Join(plan.Unset, " "))
	}
	if len(says) == 0 {
		says = append(says, "no config var changes")
	}
	return fmt.Sprintf("rolling %s back from %s to %s; %s; instances to replace: %d", app, plan.From, to, strings.Join(says, "; "), plan.Instances)
}
