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
	if err := p.store.MayRetry(ctx, old.ID); err != nil {
		return cluster.Operation{}, err
	}
	args, err := old.Request()
	if err != nil {
		return cluster.Operation{}, err
	}
	args.Retries = old.ID
	op := cluster.Operation{ID: cluster.NewID(), Kind: old.Kind, AppID: old.AppID, NodeID: old.NodeID, Title: old.Title, User: user}
	parts := []store.Part{store.Retries(old.ID)}
	part, err := p.prepare(ctx, old, op, &args)
	if err != nil {
		return cluster.Operation{}, err
	}
	if part != nil {
		parts = append(parts, part)
	}
	op.Args = args.Encode()
	begun, err := p.begin(ctx, op, parts...)
	if err != nil && op.Kind == cluster.OpDeploy {
		_ = p.Sources.Drop(ctx, op) // the janitor finds what stays
	}
	return begun, err
}

// prepare checks that what the old operation worked with is still there, and
// returns what to write together with the new one.
func (p *Pacemaker) prepare(ctx context.Context, old, op cluster.Operation, args *cluster.Request) (store.Part, error) {
	switch op.Kind {
	case cluster.OpDeploy:
		return p.Sources.Copy(ctx, old, op, args)
	case cluster.OpRelease:
		build, err := p.store.Build(ctx, args.Build)
		if err == nil && build.State != cluster.BuildReady {
			err = cluster.Conflict("the image of job %s (%s) is not there: deploy the app again", old.ID.Short(), old.Title)
		}
		return store.WithConfigOf(old.ID), err
	case cluster.OpRestart:
		return nil, p.stillToRestart(ctx, old, *args)
	case cluster.OpScale:
		return store.WithFormationsOf(old.ID), nil
	case cluster.OpDestroy:
		return store.WithDestroying(), nil
	case cluster.OpDrain:
		return store.WithDraining(), nil
	}
	return nil, nil
}

// stillToRestart refuses a restart whose instances have all been replaced already.
func (p *Pacemaker) stillToRestart(ctx context.Context, old cluster.Operation, args cluster.Request) error {
	if args.Revive {
		return nil
	}
	live, err := p.liveOf(ctx, cluster.App{ID: old.AppID}, func(in cluster.Instance) bool { return slices.Contains(args.Replace, in.ID) })
	if err == nil && len(live) == 0 {
		err = cluster.Conflict("the instances of job %s (%s) are already gone: start new ones (aorta ps restart)", old.ID.Short(), old.Title)
	}
	return err
}

// Discard gives up an operation that failed or was aborted, and deletes what was
// kept to retry it. Doing it again changes nothing.
func (p *Pacemaker) Discard(ctx context.Context, op cluster.Operation, user string) (cluster.Operation, error) {
	op, err := p.store.Discard(ctx, op.ID, user)
	if err != nil || op.Kind != cluster.OpDeploy {
		return op, err
	}
	if err := p.Sources.Drop(ctx, op); err != nil {
		p.log.Warn("the source of a discarded deploy could not be removed; the janitor does it", "operation", op.ID, "err", err)
	}
	return op, nil
}
