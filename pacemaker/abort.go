package pacemaker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

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
