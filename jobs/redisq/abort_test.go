package redisq

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/jobs"
)

// abortLimit is what a busy machine may need from the request to the end of the
// last handler's context. The figure itself is printed.
const abortLimit = 2 * time.Second

// handlerEnd is one handler's context as it ended.
type handlerEnd struct {
	at    time.Time
	cause error
}

// An abort of a tree whose jobs run on several workers, wait in queues and have
// ended: the running are cancelled, the ended stay, clean-up comes after all.
func TestKeeper_AbortReachesAllWorkersAtOnce(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	opt := keeperOptions(1)
	opt.LeaseTTL = testLimit // no beat can bring the abort in time
	k, ends, _ := startKeeper(t, rdb, opt)
	const nodes = 5
	stops := make(chan handlerEnd, nodes)
	var begun, atWork, cleaned, early atomic.Int64
	handlers := map[string]jobs.Handler{
		"ok": ok,
		"wait": func(ctx context.Context, _ *jobs.Run) (any, error) {
			atWork.Add(1)
			defer atWork.Add(-1)
			begun.Add(1)
			<-ctx.Done()
			stops <- handlerEnd{at: time.Now(), cause: context.Cause(ctx)}
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
		wopt.LeaseTTL = opt.LeaseTTL
		start(t, NewWorker(rdb, wopt).Run)
		clean := spec("clean", q)
		clean.Cleanup = true
		root.Children = append(root.Children, spec("ok", q, spec("wait", q, spec("ok", q))), clean)
	}
	add(t, k, root)
	testkit.Eventually(t, testLimit, "all handlers to run", func() bool { return begun.Load() == nodes })

	asked := time.Now()
	err := k.Abort(t.Context(), root.ID, "by hand")
	answered := time.Since(asked)
	took := gatherStops(t, stops, nodes, asked)
	tree := awaitEnd(t, ends)

	wantState(t, tree, jobs.Aborted)
	want := map[jobs.State]int{jobs.Succeeded: 2 * nodes, jobs.Aborted: 2*nodes + 2} // the leaves and clean-up; the rest
	if got := countStates(tree); err != nil || got[jobs.Succeeded] != want[jobs.Succeeded] || got[jobs.Aborted] != want[jobs.Aborted] {
		t.Errorf("Abort: got %v and states %v, want nil and %v", err, got, want)
	}
	if cleaned.Load() != nodes || early.Load() != 0 {
		t.Errorf("clean-up: got %d runs, beside %d handlers; want %d and 0", cleaned.Load(), early.Load(), nodes)
	}
	t.Logf("request to answer: %s; to the end of the first of %d handlers' contexts: %s, of the last: %s", answered, nodes, took[0], took[nodes-1])
}

func gatherStops(tb testing.TB, stops <-chan handlerEnd, n int, asked time.Time) []time.Duration {
	tb.Helper()
	var out []time.Duration
	for range n {
		select {
		case s := <-stops:
			if !errors.Is(s.cause, jobs.ErrAborted) || !strings.Contains(s.cause.Error(), "by hand") {
				tb.Errorf("cause: got %v, want ErrAborted with the reason", s.cause)
			}
			out = append(out, s.at.Sub(asked).Round(10*time.Microsecond))
		case <-time.After(abortLimit):
			tb.Fatalf("handlers' contexts that ended within %s: got %d, want %d", abortLimit, len(out), n)
		}
	}
	slices.Sort(out)
	return out
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
	q := jobs.NodeQueue("a")
	startWorker(t, rdb, q, map[string]jobs.Handler{
		"ok": ok,
		"bad": func(_ context.Context, r *jobs.Run) (any, error) {
			return nil, errors.Join(r.Graft(spec("ok", jobs.RoleQueue("nobody"))), errors.New("not yet"))
		},
	})
	s := spec("ok", q, spec("bad", q))
	add(t, k, s)
	testkit.Eventually(t, testLimit, "the first attempt to fail", func() bool {
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
