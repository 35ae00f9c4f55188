package following

import (
	"context"
	"errors"
	"fmt"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// Root is an operation as people see it: the root of its tree, with what they
// need to know around it.
type Root struct {
	cluster.Operation
	App      string     // its app's name; empty once that is gone
	JobState jobs.State // of the tree as a whole
	// WaitsFor is the operation that has to end before this one's turn comes.
	WaitsFor  *cluster.Operation
	Attention bool       // it failed, and nobody has retried or discarded it
	RetryOf   cluster.ID // the operation that this one repeats
	Reason    string     // why the platform began it by itself
}

// Roots shows operations in the order given.
func (o *Following) Roots(ctx context.Context, ops ...cluster.Operation) ([]Root, error) {
	open, err := o.cfg.Store.OpenOperations(ctx)
	if err != nil {
		return nil, err
	}
	var ended []cluster.ID
	for _, op := range ops {
		if op.State != cluster.OperationOpen {
			ended = append(ended, op.ID)
		}
	}
	needy, err := o.cfg.Store.NeedAttention(ctx, ended)
	if err != nil {
		return nil, err
	}
	names := map[cluster.ID]string{}
	asks := true
	roots := make([]Root, 0, len(ops))
	for _, op := range ops {
		r := Root{Operation: op, Attention: needy[op.ID], JobState: jobs.State(op.State)}
		if op.State == cluster.OperationOpen {
			r.WaitsFor = cluster.Ahead(open, op)
			r.JobState = jobs.Waiting
			if asks { // a Redis that hangs takes seconds for each
				r.JobState, asks = o.openState(ctx, op)
			}
		}
		args, err := op.Request()
		if err != nil {
			return nil, err
		}
		r.RetryOf, r.Reason = args.Retries, args.Reason
		if r.App, err = o.nameOf(ctx, op.AppID, names); err != nil {
			return nil, err
		}
		roots = append(roots, r)
	}
	return roots, nil
}

// nameOf reads each app's name once.
func (o *Following) nameOf(ctx context.Context, app cluster.ID, names map[cluster.ID]string) (string, error) {
	name, known := names[app]
	if known || app == "" {
		return name, nil
	}
	found, err := o.cfg.Store.AppByID(ctx, app)
	if err != nil && cluster.CodeOf(err) != cluster.CodeNotFound {
		return "", fmt.Errorf("name the app of a job: %w", err)
	}
	names[app] = found.Name
	return found.Name, nil
}

// openState is the state of an open operation's tree, waiting until its turn
// has come, and whether the jobs Redis answered.
func (o *Following) openState(ctx context.Context, op cluster.Operation) (state jobs.State, answered bool) {
	tree, err := o.cfg.Jobs.Tree(ctx, string(op.ID))
	if err != nil {
		return jobs.Waiting, errors.Is(err, jobs.ErrNotFound)
	}
	for _, j := range tree.Jobs {
		if j.State == jobs.Running {
			return jobs.Running, true
		}
	}
	return tree.Jobs[tree.ID].State, true
}

// waitsFor is the operation that has to end before this one's turn comes; nil
// when it has its turn.
func (o *Following) waitsFor(ctx context.Context, op cluster.Operation) (*cluster.Operation, error) {
	open, err := o.cfg.Store.OpenOperationsOf(ctx, op.AppID)
	return cluster.Ahead(open, op), err
}

// RootJob is the root of a tree that is not there.
func RootJob(op cluster.Operation, state jobs.State) *jobs.Job {
	return &jobs.Job{
		ID: string(op.ID), Tree: string(op.ID), Kind: string(op.Kind), Title: op.Title, State: state, Created: op.CreatedAt,
	}
}
