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
	if err := p.explain(ctx, &e, t); err != nil {
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

// explain says more of an end that is no success than its tree does: of a drain, what it
// had done by then; of what Aorta began by itself, that something else has overtaken it.
func (p *Pacemaker) explain(ctx context.Context, e *store.Ending, t *jobs.Tree) error {
	if e.State == cluster.OperationSucceeded {
		return nil
	}
	op, err := p.store.Operation(ctx, e.ID)
	switch {
	case cluster.CodeOf(err) == cluster.CodeNotFound:
		return nil
	case err != nil:
		return err
	case op.Kind == cluster.OpDrain:
		outcome, err := p.drainOutcome(ctx, op, t)
		e.Error += "; " + outcome
		return err
	case op.Kind == cluster.OpReplace && e.State == cluster.OperationFailed:
		return p.forgiveOvertaken(ctx, op, e)
	}
	return nil
}

// lastChanges is how many of an app's newest operations are searched for one that took
// over from another one.
const lastChanges = 50

// forgiveOvertaken has what Aorta began by itself end as cancelled, not as failed, where
// something that changes the app came meanwhile: that stops what was being started, and
// what is still lacking once it has ended is begun anew. It needs nobody's attention.
func (p *Pacemaker) forgiveOvertaken(ctx context.Context, op cluster.Operation, e *store.Ending) error {
	last, err := p.store.Operations(ctx, store.OperationQuery{App: op.AppID, Limit: lastChanges})
	if err != nil {
		return err
	}
	for _, by := range last {
		if by.Changing() && by.State != cluster.OperationAborted && by.TurnOrCreated().After(op.CreatedAt) {
			e.State, e.Error = cluster.OperationAborted, fmt.Sprintf("overtaken by job %s, %s: %s", by.ID.Short(), by.Title, e.Error)
			return nil
		}
	}
	return nil
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
