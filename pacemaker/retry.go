package pacemaker

import (
	"context"
	"slices"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// Retry asks again for what an operation that failed or was aborted was asked
// to do, as a new operation of whoever retries it. A conflict says why that
// can't be, and what to do instead.
func (p *Pacemaker) Retry(ctx context.Context, old cluster.Operation, user string) (cluster.Operation, error) {
	if err := p.store.MayRepeat(ctx, old.ID); err != nil {
		return cluster.Operation{}, err
	}
	args, err := argsOf(old)
	if err != nil {
		return cluster.Operation{}, err
	}
	args.Retries = old.ID
	op := cluster.Operation{ID: cluster.NewID(), Kind: old.Kind, AppID: old.AppID, NodeID: old.NodeID, Title: old.Title, User: user}
	parts := []store.Part{store.Repeats(old.ID)}
	part, err := p.prepare(ctx, old, op, &args)
	if err != nil {
		return cluster.Operation{}, err
	}
	if part != nil {
		parts = append(parts, part)
	}
	op.Args = args.encode()
	begun, err := p.begin(ctx, op, parts...)
	if err != nil && op.Kind == cluster.OpDeploy {
		_ = p.letGo(ctx, op) // the janitor finds what stays
	}
	return begun, err
}

// prepare makes sure that what the old operation worked with is still there, and
// gives what the new one writes beside itself.
func (p *Pacemaker) prepare(ctx context.Context, old, op cluster.Operation, args *opArgs) (store.Part, error) {
	switch op.Kind {
	case cluster.OpDeploy:
		return p.keepAgain(ctx, old, op, args)
	case cluster.OpRelease:
		build, err := p.store.Build(ctx, args.Build)
		if err == nil && build.State != cluster.BuildReady {
			err = cluster.Conflict("the image of job %s (%s) is not there: deploy the app again", old.ID.Short(), old.Title)
		}
		return nil, err
	case cluster.OpRestart:
		return nil, p.stillToRestart(ctx, old, *args)
	case cluster.OpDestroy:
		return store.WithDestroying(), nil
	}
	return nil, nil
}

// stillToRestart refuses a restart whose instances have all given way already.
func (p *Pacemaker) stillToRestart(ctx context.Context, old cluster.Operation, args opArgs) error {
	if args.Revive {
		return nil
	}
	live, err := p.liveOf(ctx, cluster.App{ID: old.AppID}, func(in cluster.Instance) bool { return slices.Contains(args.Replace, in.ID) })
	if err == nil && len(live) == 0 {
		err = cluster.Conflict("the instances of job %s (%s) are gone already: ask for it anew (aorta ps restart)", old.ID.Short(), old.Title)
	}
	return err
}

// Discard lets go of an operation that failed or was aborted, and of what was
// kept to retry it. Doing it again changes nothing.
func (p *Pacemaker) Discard(ctx context.Context, op cluster.Operation, user string) (cluster.Operation, error) {
	op, err := p.store.Discard(ctx, op.ID, user)
	if err != nil || op.Kind != cluster.OpDeploy {
		return op, err
	}
	if err := p.letGo(ctx, op); err != nil {
		p.log.Warn("the source of a discarded deploy could not be removed; the janitor does it", "operation", op.ID, "err", err)
	}
	return op, nil
}
