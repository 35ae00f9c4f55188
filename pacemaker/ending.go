package pacemaker

import (
	"context"
	"encoding/json"
	"fmt"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// TreeEnded closes a tree's operation and archives it. The keeper calls it at
// least once for each tree, and deletes the tree once it has returned nil.
func (p *Pacemaker) TreeEnded(ctx context.Context, t *jobs.Tree) error {
	if t.Operation == "" {
		p.periodicEnded(t)
		return nil
	}
	log, err := json.Marshal(p.Following.WholeLog(ctx, t))
	if err != nil {
		return fmt.Errorf("archive the log of %s: %w", t.ID, err)
	}
	tree, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("archive the tree %s: %w", t.ID, err)
	}
	e := store.Ending{ID: cluster.ID(t.ID), State: endState(t.State), Tree: tree, Log: log}
	if t.Stop != nil {
		e.Error = failure(t)
	}
	if err := p.sayOutcome(ctx, &e, t); err != nil {
		return err
	}
	err = p.store.EndOperation(ctx, e)
	if cluster.CodeOf(err) == cluster.CodeNotFound {
		return nil // its operation is gone: a database that was restored
	}
	if err != nil {
		return err
	}
	op, err := p.store.Operation(ctx, e.ID)
	if err != nil {
		return err
	}
	p.afterDeploy(ctx, op)
	if p.cfg.Ended != nil {
		p.cfg.Ended(op)
	}
	p.collect.mark()
	p.rerouted(op.AppID)
	return nil
}

// sayOutcome adds to the cause of a drain's end what it had done by then.
func (p *Pacemaker) sayOutcome(ctx context.Context, e *store.Ending, t *jobs.Tree) error {
	op, err := p.store.Operation(ctx, e.ID)
	if cluster.CodeOf(err) == cluster.CodeNotFound || err == nil && (op.Kind != cluster.OpDrain || e.State == cluster.OperationSucceeded) {
		return nil
	}
	if err != nil {
		return err
	}
	outcome, err := p.drainOutcome(ctx, op, t)
	e.Error += "; " + outcome
	return err
}

// afterDeploy tidies up behind a deploy. What did not succeed keeps its source
// for a retry, until the next one has ended. What fails here costs disk space only and is done again with the
// next tidying.
func (p *Pacemaker) afterDeploy(ctx context.Context, op cluster.Operation) {
	if op.Kind != cluster.OpDeploy {
		return
	}
	if err := p.Sources.DropSuperseded(ctx, op); err != nil {
		p.log.Warn("the sources of deploys that are over could not be removed", "operation", op.ID, "err", err)
	}
}

func endState(s jobs.State) cluster.OperationState {
	switch s {
	case jobs.Succeeded:
		return cluster.OperationSucceeded
	case jobs.Aborted:
		return cluster.OperationAborted
	}
	return cluster.OperationFailed
}

// failure is what a person is shown of a tree that did not succeed: the cause
// from the job that failed, else the reason of the abort.
func failure(t *jobs.Tree) string {
	if j := t.Jobs[t.Stop.Job]; j != nil && j.Error != "" {
		return j.Error
	}
	return t.Stop.Reason
}
