package pacemaker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/following"
	"aorta/pacemaker/plan"
	"aorta/pacemaker/sources"
	"aorta/pacemaker/store"
)

// Push is one branch that somebody pushed to an app.
type Push struct {
	App    cluster.App
	Ref    string
	Old    string // the commit that the pusher saw on the ref; zeros for none
	New    string
	Forced bool
	User   string
}

// Push deploys a pushed commit and reports to the pusher, line by line, what
// happens. It returns when the release serves, with the cause when it does
// not, or when the pusher is gone; the operation goes on without one.
func (p *Pacemaker) Push(ctx context.Context, push Push, out io.Writer) error {
	report := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }
	op, follows, err := p.beginPush(ctx, push, report)
	if err != nil {
		return err
	}
	if op.ID == "" {
		report("%s is already deployed.", push.New[:10])
		return nil
	}
	if follows {
		report("This commit is already being deployed; following it.")
	}
	report("The deploy continues if this connection breaks. To follow it: aorta jobs follow %s", op.ID)
	failed, err := p.Following.Print(ctx, op.ID, report)
	switch {
	case err != nil:
		return err
	case failed != "":
		return p.reportFailed(ctx, op, failed, report)
	}
	release, err := p.store.ReleaseByOperation(ctx, op.ID)
	if err != nil {
		return err
	}
	app, err := p.store.AppByID(ctx, op.AppID)
	if err != nil {
		return err
	}
	return p.reportDeployed(ctx, app, release, report)
}

// reportFailed says what serves all the same. The cause has been said, so the error
// that git shows beside the branch is only where it was.
func (p *Pacemaker) reportFailed(ctx context.Context, op cluster.Operation, failed string, report following.Printf) error {
	outcome, err := p.Outcome(ctx, op)
	if err != nil {
		return err
	}
	report("%s", outcome)
	return cluster.Conflict("%s", failed)
}

// reportDeployed says where the release is reached, or why it is not.
func (p *Pacemaker) reportDeployed(ctx context.Context, app cluster.App, release cluster.Release, report following.Printf) error {
	asked, err := p.store.Formations(ctx, app.ID)
	if err != nil {
		return err
	}
	want := plan.Want(release, asked)
	switch {
	case want[cluster.WebType] > 0:
		report("%s serves: %s", release.Label(), p.AppURL(app))
	case release.HasWeb():
		report("%s is deployed; web is scaled to 0, so %s answers 503. To start one: aorta ps scale web=1", release.Label(), p.AppURL(app))
	default:
		report("%s is deployed; it has no web process, so no address.", release.Label())
		if !slices.ContainsFunc(slices.Collect(maps.Values(want)), func(n int) bool { return n > 0 }) {
			report("No process runs yet. To start one: aorta ps scale %s=1", release.Processes[0].Name)
		}
	}
	return nil
}

// beginPush records the deploy once the app is free, or finds the open one of
// the same commit. While another operation is at work it waits, and says so.
func (p *Pacemaker) beginPush(ctx context.Context, push Push, report following.Printf) (op cluster.Operation, follows bool, err error) {
	reported := cluster.ID("")
	err = p.changed.Until(ctx, func() (bool, error) {
		first, same, err := p.inFront(ctx, push)
		if err != nil {
			return false, err
		}
		if same != nil {
			op, follows = *same, true
			return true, nil
		}
		if first == nil {
			op, err = p.tryPush(ctx, push, reported != "")
			if cluster.CodeOf(err) == cluster.CodeConflict && errors.Is(err, errBusy) {
				return false, nil
			}
			return err == nil, err
		}
		if first.ID != reported {
			reported = first.ID
			following.PrintWaiting(*first, report)
		}
		return false, nil
	})
	return op, follows, err
}

// inFront finds the app's open operation that the push has to wait for, and the
// open deploy of the same commit.
func (p *Pacemaker) inFront(ctx context.Context, push Push) (first, same *cluster.Operation, err error) {
	open, err := p.store.OpenOperationsOf(ctx, push.App.ID)
	if err != nil {
		return nil, nil, err
	}
	for i, op := range open {
		if !op.Kind.Exclusive() {
			continue
		}
		if first == nil {
			first = &open[i]
		}
		args, err := op.Request()
		if err != nil {
			return nil, nil, err
		}
		if op.Kind == cluster.OpDeploy && args.Commit == push.New && args.Ref == push.Ref {
			same = &open[i]
		}
	}
	return first, same, nil
}

// errBusy marks that another operation began in between.
var errBusy = errors.New("busy")

// tryPush compares the ref before anything is built, holds the commit and
// records the operation. Without one, and without an error, the ref has the
// commit already.
func (p *Pacemaker) tryPush(ctx context.Context, push Push, waited bool) (cluster.Operation, error) {
	repo := p.Sources.Repo(push.App.ID)
	have, err := repo.Ref(ctx, push.Ref)
	if err != nil {
		return cluster.Operation{}, err
	}
	if have == push.New {
		return cluster.Operation{}, nil
	}
	if have != strings.Trim(push.Old, "0") && have != push.Old {
		if err := p.stillFits(ctx, push, have, waited); err != nil {
			return cluster.Operation{}, err
		}
	}
	commit, err := repo.Commit(ctx, push.New)
	if err != nil {
		return cluster.Operation{}, err
	}
	op := cluster.Operation{
		ID: cluster.NewID(), Kind: cluster.OpDeploy, AppID: push.App.ID, User: push.User,
		Title: deployTitle(push.App, commit.Subject, push.New[:10]),
	}
	args := cluster.Request{Build: cluster.DeriveID(op.ID, "build", 0), Commit: push.New, Message: oneLine(commit.Subject), Author: commit.Author, Cause: "deploy", Ref: push.Ref, Old: have}
	op.Args = args.Encode()
	if err := repo.Hold(ctx, push.New, string(op.ID)); err != nil {
		return cluster.Operation{}, err
	}
	op, err = p.begin(ctx, op, store.IfIdle(), store.WithBuild(args.Build, cluster.SourceCommit, push.New))
	if err == nil {
		return op, nil
	}
	_ = repo.Release(ctx, string(op.ID))
	if cluster.CodeOf(err) == cluster.CodeConflict {
		if first, _, aerr := p.inFront(ctx, push); aerr == nil && first != nil {
			return op, &cluster.Error{Code: cluster.CodeConflict, Message: err.Error(), Err: errBusy}
		}
	}
	return op, err
}

// stillFits decides on a push whose ref has moved since the pusher read it:
// it may go on only if it drops no other commit.
func (p *Pacemaker) stillFits(ctx context.Context, push Push, have string, waited bool) error {
	if waited && push.Forced {
		return nil
	}
	return p.Sources.GoesForward(ctx, push.App.ID, sources.Move{Ref: push.Ref, From: have, To: push.New})
}
