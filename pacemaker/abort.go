package pacemaker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/following"
	"aorta/pacemaker/store"
)

// Abort ends an open operation: its jobs are stopped, the instances that
// it started are drained, and the old release keeps serving.
func (p *Pacemaker) Abort(ctx context.Context, op cluster.Operation, user string) error {
	return p.abort(ctx, op, "cancelled by "+user)
}

func (p *Pacemaker) abort(ctx context.Context, op cluster.Operation, reason string) error {
	p.planting.Lock()
	defer p.planting.Unlock()
	if err := p.store.MarkAborted(ctx, op.ID, reason); err != nil {
		return err
	}
	err := p.jobs.Abort(ctx, string(op.ID), reason)
	if err == nil {
		return nil
	}
	// Without a tree it waits for its turn: no job has to be stopped.
	if !errors.Is(err, jobs.ErrNotFound) {
		return cluster.Conflict("job %s can't be cancelled any more: %s", op.ID.Short(), err)
	}
	return p.endUnplanted(ctx, op, reason)
}

// waitingFor are the open operations that a node's end leaves without an end of their
// own: those that start or stop instances there, and those with a job in its queue, as
// to send an image from there or to remove some.
func (p *Pacemaker) waitingFor(ctx context.Context, node cluster.Node) ([]cluster.Operation, error) {
	waiting, err := p.store.OpenOperationsOn(ctx, node.ID)
	if err != nil {
		return nil, err
	}
	open, err := p.store.OpenOperations(ctx)
	if err != nil {
		return nil, err
	}
	queue := jobs.NodeQueue(string(node.ID))
	for _, op := range open {
		tree, err := p.jobs.Tree(ctx, string(op.ID))
		if errors.Is(err, jobs.ErrNotFound) {
			continue // it has none yet: where it works is still to be chosen
		}
		if err != nil {
			return nil, err
		}
		known := slices.ContainsFunc(waiting, func(w cluster.Operation) bool { return w.ID == op.ID })
		for _, job := range tree.Jobs {
			if !known && job.Queue == queue && !job.State.Ended() {
				waiting, known = append(waiting, op), true
			}
		}
	}
	return waiting, nil
}

// endUnplanted ends an aborted operation that has no tree.
func (p *Pacemaker) endUnplanted(ctx context.Context, op cluster.Operation, reason string) error {
	end := store.Ending{ID: op.ID, State: cluster.OperationAborted, Error: reason + " before its turn", Tree: emptyTree(op), Log: []byte("[]")}
	if err := p.store.EndOperation(ctx, end); err != nil {
		return err
	}
	p.announce(op.AppID)
	return nil
}

// emptyTree archives an operation that never got its tree.
func emptyTree(op cluster.Operation) []byte {
	root := following.RootJob(op, jobs.Aborted)
	raw, err := json.Marshal(jobs.Tree{ID: root.ID, State: jobs.Aborted, Jobs: map[string]*jobs.Job{root.ID: root}})
	if err != nil {
		panic(fmt.Sprintf("encode an empty tree: %v", err)) // strings only: it can't fail
	}
	return raw
}
