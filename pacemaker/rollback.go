package pacemaker

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// Rollback says where a rollback goes.
type Rollback struct {
	Number   int  // of the release; 0 for the newest one before that served well
	CodeOnly bool // today's config vars stay
}

// RollbackPlan is what a rollback changes.
type RollbackPlan struct {
	From, To  cluster.Release
	Set       map[string]string // config vars that get another value
	Unset     []string          // config vars that go
	Instances int               // that are replaced
}

// Rollback rolls out an earlier release as it was, image, process types and config
// vars, as a new release.
func (p *Pacemaker) Rollback(ctx context.Context, app cluster.App, to Rollback, user string) (cluster.Operation, error) {
	plan, err := p.planRollback(ctx, app, to)
	if err != nil {
		return cluster.Operation{}, err
	}
	label := cluster.RollbackCause(plan.To)
	args := cluster.Request{Build: plan.To.BuildID, Commit: plan.To.Commit, Message: label + plan.config(": "), Cause: label, Rollback: true}
	var parts []store.Part
	if len(plan.Set)+len(plan.Unset) > 0 {
		parts = append(parts, store.WithConfig(app, plan.Set, plan.Unset))
	}
	return p.begin(ctx, cluster.Operation{
		Kind: cluster.OpRelease, AppID: app.ID, Title: fmt.Sprintf("Roll %s back to %s", app.Name, plan.To.Label()), User: user, Args: args.Encode(),
	}, parts...)
}

// PlanRollback says what a rollback would change.
func (p *Pacemaker) PlanRollback(ctx context.Context, app cluster.App, to Rollback) (RollbackPlan, error) {
	plan, err := p.planRollback(ctx, app, to)
	if err != nil {
		return RollbackPlan{}, err
	}
	live, err := p.liveOf(ctx, app, func(in cluster.Instance) bool { return in.ReleaseID == plan.From.ID })
	plan.Instances = len(live)
	return plan, err
}

// planRollback is the plan without the count of instances.
func (p *Pacemaker) planRollback(ctx context.Context, app cluster.App, to Rollback) (RollbackPlan, error) {
	from, err := p.currentRelease(ctx, app)
	if err != nil {
		return RollbackPlan{}, err
	}
	plan := RollbackPlan{From: from}
	if plan.To, err = p.rollbackTarget(ctx, app, from, to.Number); err != nil || to.CodeOnly {
		return plan, err
	}
	err = p.planConfig(ctx, &plan)
	return plan, err
}

// planConfig finds how the config vars differ from the release's.
func (p *Pacemaker) planConfig(ctx context.Context, plan *RollbackPlan) error {
	now, err := p.store.Config(ctx, plan.To.AppID)
	if err != nil {
		return err
	}
	then, err := p.store.ReleaseConfig(ctx, plan.To.ID)
	if err != nil {
		return err
	}
	plan.Set = map[string]string{}
	for key, value := range then {
		if is, there := now[key]; !there || is != value {
			plan.Set[key] = value
		}
	}
	for key := range now {
		if _, there := then[key]; !there {
			plan.Unset = append(plan.Unset, key)
		}
	}
	slices.Sort(plan.Unset)
	return nil
}

// config says what becomes of the config vars, behind the lead, "" for nothing. It
// names keys, never values.
func (plan RollbackPlan) config(lead string) string {
	var says []string
	if len(plan.Set) > 0 {
		says = append(says, named(slices.Sorted(maps.Keys(plan.Set)))+" as then")
	}
	if len(plan.Unset) > 0 {
		says = append(says, "without "+named(plan.Unset))
	}
	if len(says) == 0 {
		return ""
	}
	return lead + strings.Join(says, ", ")
}

// named lists a few names, and how many more there are.
func named(names []string) string {
	const most = 5
	if more := len(names) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), more)
	}
	return strings.Join(names, ", ")
}

func (p *Pacemaker) rollbackTarget(ctx context.Context, app cluster.App, current cluster.Release, number int) (cluster.Release, error) {
	if number == 0 {
		return p.lastGood(ctx, app, current)
	}
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

// lastGood is the newest release before the present one that served, was not
// rolled back from, and is not the same as the present one.
func (p *Pacemaker) lastGood(ctx context.Context, app cluster.App, current cluster.Release) (cluster.Release, error) {
	list, err := p.store.Releases(ctx, app.ID, current.Number, 100)
	if err != nil {
		return cluster.Release{}, err
	}
	left := cluster.RolledBackFrom(append([]cluster.Release{current}, list...))
	for _, r := range list {
		if r.State != cluster.ReleaseRetired || left[r.ID] {
			continue
		}
		same, err := p.isSame(ctx, r, current)
		if err != nil || !same {
			return r, err
		}
	}
	for _, r := range list {
		if left[r.ID] {
			return cluster.Release{}, cluster.NotFound("app %q has no earlier release that served well; %s was rolled back from (aorta rollback %s goes to it all the same)", app.Name, r.Label(), r.Label())
		}
	}
	return cluster.Release{}, cluster.NotFound("app %q has no earlier release to roll back to", app.Name)
}

// isSame says whether two releases have the same image and config vars.
func (p *Pacemaker) isSame(ctx context.Context, a, b cluster.Release) (bool, error) {
	if a.BuildID != b.BuildID {
		return false, nil
	}
	one, err := p.store.ReleaseConfig(ctx, a.ID)
	if err != nil {
		return false, err
	}
	other, err := p.store.ReleaseConfig(ctx, b.ID)
	return maps.Equal(one, other), err
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
