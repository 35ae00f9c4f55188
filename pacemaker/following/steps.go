package following

import (
	"context"
	"errors"
	"slices"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/steps"
)

// Steps are an operation's, from its tree and from those of the operations that it
// has caused: what it replaces drains once it has succeeded.
func (o *Following) Steps(ctx context.Context, op cluster.Operation, tree *jobs.Tree) ([]steps.Step, error) {
	caused, err := o.cfg.Store.CausedBy(ctx, op.ID)
	if err != nil {
		return nil, err
	}
	var trees []*jobs.Tree
	for _, c := range caused {
		t, err := o.Tree(ctx, c)
		if errors.Is(err, jobs.ErrNotFound) {
			continue // it is being planted
		}
		if err != nil {
			return nil, err
		}
		trees = append(trees, t)
	}
	list := steps.Of(op.Kind, tree, trees...)
	if op.State != cluster.OperationSucceeded || op.EndedAt == nil || slices.ContainsFunc(list, func(s steps.Step) bool { return s.ID == steps.Drain }) {
		return list, nil
	}
	n, err := o.cfg.Store.DrainsFor(ctx, op)
	if n > 0 {
		list = append(list, steps.ToDrain(len(list), n, *op.EndedAt))
	}
	return list, err
}
