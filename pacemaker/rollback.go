package pacemaker

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"aorta/pacemaker/cluster"
)

// Rollback rolls out the image and process types of an earlier release, with
// today's config vars, as a new release. Number 0 means the one before the
// present one.
func (p *Pacemaker) Rollback(ctx context.Context, app cluster.App, number int, user string) (cluster.Operation, error) {
	current, err := p.currentRelease(ctx, app)
	if err != nil {
		return cluster.Operation{}, err
	}
	to, err := p.rollbackTarget(ctx, app, current, number)
	if err != nil {
		return cluster.Operation{}, err
	}
	args := cluster.Request{Build: to.BuildID, Commit: to.Commit, Message: "rollback to " + to.Label(), Cause: "rollback to " + to.Label(), Rollback: true}
	return p.begin(ctx, cluster.Operation{
		Kind: cluster.OpRelease, AppID: app.ID, Title: fmt.Sprintf("Roll %s back to %s", app.Name, to.Label()), User: user, Args: args.Encode(),
	})
}

func (p *Pacemaker) rollbackTarget(ctx context.Context, app cluster.App, current cluster.Release, number int) (cluster.Release, error) {
	if number != 0 {
		to, err := p.store.ReleaseByNumber(ctx, app, number)
		if err == nil && to.State == cluster.ReleaseFailed {
			err = cluster.Invalid("release", "%s never served: %s", to.Label(), to.Error)
		}
		if err == nil && to.ID == current.ID {
			err = cluster.Conflict("%s already serves", to.Label())
		}
		if err == nil {
			err = p.maybeRebuilt(ctx, to)
		}
		return to, err
	}
	list, err := p.store.Releases(ctx, app.ID, current.Number, 100)
	if err != nil {
		return cluster.Release{}, err
	}
	for _, r := range list {
		if r.State == cluster.ReleaseRetired && r.BuildID != current.BuildID {
			return r, nil
		}
	}
	for _, r := range list {
		if r.State == cluster.ReleaseRetired {
			return r, nil
		}
	}
	return cluster.Release{}, cluster.NotFound("app %q has no earlier release to roll back to", app.Name)
}

// maybeRebuilt refuses a release that is too old for its image to be kept, and
// whose archive is not kept either.
func (p *Pacemaker) maybeRebuilt(ctx context.Context, to cluster.Release) error {
	builds, err := p.store.KeptBuilds(ctx, p.cfg.KeepReleases)
	if err != nil || slices.Contains(builds, to.BuildID) {
		return err
	}
	build, err := p.store.Build(ctx, to.BuildID)
	if err != nil || build.Kind != cluster.SourceArchive || p.Sources.HasArchive(build.ID) {
		return err
	}
	return cluster.Conflict("%s can't be rolled back to: an app's %d newest releases keep their images and archives; deploy its files again (aorta deploy)", to.Label(), p.cfg.KeepReleases)
}

// moveBranchBack points the app's branch at the commit that a rollback made
// serve, so that the next push of a newer one deploys instead of finding
// everything up to date. What it returns is for whoever follows the rollback. It
// fails no rollback: the release serves by now.
func (p *Pacemaker) moveBranchBack(ctx context.Context, op cluster.Operation, args cluster.Request) (string, error) {
	release, err := p.store.ReleaseByOperation(ctx, op.ID)
	if err != nil {
		return "", err
	}
	before, err := p.lastCommit(ctx, release)
	if err != nil {
		return "", err
	}
	move, err := p.Sources.MoveBack(ctx, op.AppID, before, args.Commit)
	branch := strings.TrimPrefix(move.Ref, "refs/heads/")
	switch {
	case err != nil:
		p.log.Warn("the branch could not follow a rollback", "operation", op.ID, "err", err)
		return fmt.Sprintf("the branch could not be moved back (%v): to deploy its commit again, roll back to the release that has it", err), nil
	case move.Ref == "" || move.From == args.Commit:
		return "", nil
	case move.To == "":
		return fmt.Sprintf("%s stays at %.10s, since no commit of the repository serves now: to deploy that one again, roll back to its release", branch, move.From), nil
	}
	return fmt.Sprintf("%s is back at %.10s: a push of %.10s or of what comes after it deploys again", branch, move.To, move.From), nil
}

// lastCommit is that of the newest release before one that came from git.
func (p *Pacemaker) lastCommit(ctx context.Context, before cluster.Release) (string, error) {
	list, err := p.store.Releases(ctx, before.AppID, before.Number, 100)
	for _, r := range list {
		if r.Commit != "" && r.State != cluster.ReleaseFailed {
			return r.Commit, err
		}
	}
	return "", err
}
