package pacemaker

import (
	"errors"
	"sync"
	"testing"

	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// An operation that is answered as aborted has no tree that goes on.
func TestAbort_BesideTheTurnOfTheOperation(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for range 60 {
		app := r.App("shop-" + cluster.NewID().Short())
		op, err := r.DeployImage(t.Context(), app, "img:1", "", "ann")
		testkit.Must(t, err)
		var both sync.WaitGroup
		both.Go(func() { testkit.Must(t, r.Abort(t.Context(), op, "ann")) })
		both.Go(func() { testkit.Must(t, r.reconcile(t.Context())) })

		both.Wait()
		testkit.Must(t, r.reconcile(t.Context()))

		if _, err := r.Jobs.Tree(t.Context(), string(op.ID)); !errors.Is(err, jobs.ErrNotFound) {
			t.Fatalf("got a tree of the aborted operation, %v, want none", err)
		}
	}
}

// What is to end does nothing any more, also when its tree is planted by another
// hand or has not heard of the abort.
func TestAbort_StopsEachStep(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	op, err := r.DeployImage(t.Context(), app, "img:1", "", "ann")
	testkit.Must(t, err)
	testkit.Must(t, r.store.MarkAborted(t.Context(), op.ID, "cancelled by ann"))

	_, err = r.work(t.Context(), op.ID)

	if !jobs.IsPermanent(err) || cluster.CodeOf(err) != cluster.CodeConflict {
		t.Errorf("a step of an aborted operation: got %v, want a permanent conflict", err)
	}
	r.round()
	ended, err := r.store.Operation(t.Context(), op.ID)
	if err != nil || ended.State != cluster.OperationAborted {
		t.Errorf("after the next round: got it %s, %v, want it aborted", ended.State, err)
	}
}
