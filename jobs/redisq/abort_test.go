package redisq

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/jobs"
)

// An abort of a tree whose jobs run on several workers, wait in queues and have
// ended: the running are cancelled, the ended stay, clean-up comes after all.
func TestKeeper_AbortReachesAllWorkersAtOnce(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	k, ends, _ := startKeeper(t, rdb, keeperOptions(1))
	const nodes = 5
	stops := make(chan error, nodes)
	var begun, atWork, cleaned, early atomic.Int64
	handlers := map[string]jobs.Handler{
		"ok": ok,
		"wait": func(ctx context.Context, _ *jobs.Run) (any, error) {
			atWork.Add(1)
			defer atWork.Add(-1)
			begun.Add(1)
			<-ctx.Done()
			stops <- context.Cause(ctx)
			_ = work(context.WithoutCancel(ctx), 50*time.Millisecond) // tidies up after itself
			return nil, ctx.Err()
		},
		"clean": func(context.Context, *jobs.Run) (any, error) {
			cleaned.Add(1)
			early.Add(atWork.Load())
			return nil, nil
		},
	}
	root := spec("ok", jobs.NodeQueue("0"))
	root.Children = append(root.Children, spec("ok", jobs.NodeQueue("away"))) // queued, never taken
	for i := range nodes {
		q := jobs.NodeQueue(fmt.Sprint(i))
		wopt := workerOptions(q, handlers)
		wopt.LeaseTTL = testkit.Hang // no beat can bring the abort
		start(t, NewWorker(rdb, wopt).Run)
		clean := spec("clean", q)
		clean.Cleanup = true
		root.Children = append(root.Children, spec("ok", q, spec("wait", q, spec("ok", q))), clean)
	}
	add(t, k, root)
	testkit.Eventually(t, "all handlers to run", func() bool { return begun.Load() == nodes })

	err := k.Abort(t.Context(), root.ID, "by hand")
	for range nodes {
		if cause := testkit.Receive(t, "a handler's context to end", stops); !errors.Is(cause, jobs.ErrAborted) || !strings.Contains(cause.Error(), "by hand") {
			t.Errorf("cause: got %v, want ErrAborted with the reason", cause)
		}
	}
	tree := awaitEnd(t, ends)

	wantState(t, tree, jobs.Aborted)
	want := map[jobs.State]int{jobs.Succeeded: 2 * nodes, jobs.Aborted: 2*nodes + 2} // the leaves and clean-up; the rest
	if got := countStates(tree); err != nil || got[jobs.Succeeded] != want[jobs.Succeeded] || got[jobs.Aborted] != want[jobs.Aborted] {
		t.Errorf("Abort: got %v and states %v, want nil and %v", err, got, want)
	}
	if cleaned.Load() != nodes || early.Load() != 0 {
		t.Errorf("clean-up: got %d runs, beside %d handlers; want %d and 0", cleaned.Load(), early.Load(), nodes)
	}
}

func countStates(t *jobs.Tree) map[jobs.State]int {
	out := map[jobs.State]int{}
	for _, j := range t.Jobs {
		out[j.State]++
	}
	return out
}

// A job that waits for its next attempt is nobody's to take back: it ends at
// once, and so does one that was just grafted.
func TestKeeper_AbortEndsWhatWaitsForAnAttempt(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	opt := keeperOptions(1)
	opt.DefaultPolicy = jobs.Policy{MaxAttempts: 5, BackoffBase: time.Hour, BackoffMax: time.Hour}
	k, ends, _ := startKeeper(t, rdb, opt)
	q := jobs.RoleQueue("a")
	startWorker(t, rdb, q, map[string]jobs.Handler{
		"ok": ok,
		"bad": func(_ context.Context, r *jobs.Run) (any, error) {
			return nil, errors.Join(r.Graft(spec("ok", jobs.RoleQueue("nobody"))), errors.New("not yet"))
		},
	})
	s := spec("ok", q, spec("bad", q))
	add(t, k, s)
	testkit.Eventually(t, "the first attempt to fail", func() bool {
		tree, err := k.Tree(t.Context(), s.ID)
		return err == nil && tree.Jobs[s.Children[0].ID].Failures == 1
	})

	err := k.Abort(t.Context(), s.Children[0].ID, "by hand")
	tree := awaitEnd(t, ends)

	wantState(t, tree, jobs.Aborted)
	if got := countStates(tree); err != nil || got[jobs.Aborted] != 3 {
		t.Fatalf("Abort: got %v and states %v, want nil and 3 aborted", err, got)
	}
	awaitGone(t, k, s.ID)
}
