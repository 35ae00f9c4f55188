package pacemaker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
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

// Push deploys a pushed commit and tells the pusher, line by line, what
// happens. It returns when the release serves, with the cause when it does
// not, or when the pusher is gone; the operation goes on without one.
func (p *Pacemaker) Push(ctx context.Context, push Push, out io.Writer) error {
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }
	op, follows, err := p.beginPush(ctx, push, say)
	if err != nil {
		return err
	}
	if op.ID == "" {
		say("%s is deployed already.", push.New[:10])
		return nil
	}
	if follows {
		say("This commit is being deployed already; following it.")
	}
	say("The deploy goes on whatever becomes of this connection. Follow it with: aorta jobs follow %s", op.ID)
	return p.tell(ctx, op, say)
}

// beginPush records the deploy once the app is free, or finds the open one of
// the same commit. While another operation is at work it waits, and says so.
func (p *Pacemaker) beginPush(ctx context.Context, push Push, say func(string, ...any)) (op cluster.Operation, follows bool, err error) {
	told := cluster.ID("")
	err = p.bell.until(ctx, func() (bool, error) {
		first, same, err := p.inFront(ctx, push)
		if err != nil {
			return false, err
		}
		if same != nil {
			op, follows = *same, true
			return true, nil
		}
		if first == nil {
			op, err = p.tryPush(ctx, push, told != "")
			if cluster.CodeOf(err) == cluster.CodeConflict && errors.Is(err, errBusy) {
				return false, nil
			}
			return err == nil, err
		}
		if first.ID != told {
			told = first.ID
			sayWaiting(*first, say)
		}
		return false, nil
	})
	return op, follows, err
}

func sayWaiting(first cluster.Operation, say func(string, ...any)) {
	say("Waiting: %s (by %s) is at work.", first.Title, orSystem(first.User))
}

func orSystem(user string) string {
	if user == "" {
		return "the platform"
	}
	return user
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
		args, err := argsOf(op)
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
	repo := p.repo(push.App.ID)
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
	subject, err := repo.Subject(ctx, push.New)
	if err != nil {
		return cluster.Operation{}, err
	}
	op := cluster.Operation{
		ID: cluster.NewID(), Kind: cluster.OpDeploy, AppID: push.App.ID, User: push.User,
		Title: fmt.Sprintf("Deploy %s to %s", push.New[:10], push.App.Name),
	}
	args := opArgs{Build: cluster.DeriveID(op.ID, "build", 0), Commit: push.New, Message: tidy(subject), Cause: "deploy", Ref: push.Ref, Old: have}
	op.Args = args.encode()
	if err := repo.Hold(ctx, push.New, string(op.ID)); err != nil {
		return cluster.Operation{}, err
	}
	op, err = p.begin(ctx, op, store.IfIdle(), store.WithBuild(args.Build, cluster.SourceCommit, push.New))
	if err == nil {
		return op, nil
	}
	_ = repo.Release(ctx, string(cluster.ID(op.ID)))
	if cluster.CodeOf(err) == cluster.CodeConflict {
		if first, _, aerr := p.inFront(ctx, push); aerr == nil && first != nil {
			return op, &cluster.Error{Code: cluster.CodeConflict, Message: err.Error(), Err: errBusy}
		}
	}
	return op, err
}

// stillFits decides on a push whose ref has moved since the pusher looked: it
// may go on only where it loses nobody's work.
func (p *Pacemaker) stillFits(ctx context.Context, push Push, have string, waited bool) error {
	if waited && push.Forced {
		return nil
	}
	return p.goesForward(ctx, push.App.ID, move{ref: push.Ref, from: have, to: push.New})
}

// move is one change of a ref.
type move struct{ ref, from, to string }

// goesForward refuses a move that would leave out a commit.
func (p *Pacemaker) goesForward(ctx context.Context, app cluster.ID, m move) error {
	if m.from != "" {
		ok, err := p.repo(app).IsAncestor(ctx, m.from, m.to)
		if err != nil || ok {
			return err
		}
	}
	return cluster.Conflict("%s moved meanwhile: pull and push again", strings.TrimPrefix(m.ref, "refs/heads/"))
}

// movesFrom gives the commit that a deploy's ref is to leave: the one that it
// was recorded with, or a later one on the way to the deploy's own. A deploy
// that is asked for again may find it there, if it waited behind another one.
func (p *Pacemaker) movesFrom(ctx context.Context, app cluster.ID, args opArgs) (string, error) {
	have, err := p.repo(app).Ref(ctx, args.Ref)
	if err != nil || have == args.Old || have == args.Commit {
		return have, err
	}
	return have, p.goesForward(ctx, app, move{ref: args.Ref, from: have, to: args.Commit})
}

// tell follows an operation for a person at a terminal.
func (p *Pacemaker) tell(ctx context.Context, op cluster.Operation, say func(string, ...any)) error {
	var cause error
	states := map[string]jobs.State{}
	err := p.Follow(ctx, op.ID, Mark{}, func(u Update) error {
		switch {
		case u.Line != nil:
			say("  %s", u.Line.Text)
		case u.Waits != nil:
			sayWaiting(*u.Waits, say)
		case u.Job != nil && states[u.Job.ID] != u.Job.State:
			states[u.Job.ID] = u.Job.State
			tellJob(u.Job, say)
		case u.End != nil && u.End.State != cluster.OperationSucceeded:
			cause = cluster.Conflict("%s", u.End.Error)
		}
		return nil
	})
	if err != nil || cause != nil {
		return errors.Join(err, cause)
	}
	release, err := p.store.ReleaseByOperation(ctx, op.ID)
	if err != nil {
		return err
	}
	app, err := p.store.AppByID(ctx, op.AppID)
	if err != nil {
		return err
	}
	say("%s serves: %s", release.Label(), p.AppURL(app))
	return nil
}

func tellJob(j *jobs.Job, say func(string, ...any)) {
	switch {
	case j.Parent == "":
	case j.State == jobs.Running:
		say("%s", j.Title)
	case j.State == jobs.Failed:
		for i, line := range strings.Split(j.Error, "\n") {
			if i == 0 {
				say("%s failed: %s", j.Title, line)
				continue
			}
			say("  %s", line)
		}
	}
}
