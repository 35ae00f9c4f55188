package redisq

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"aorta/internal/testkit"
	"aorta/jobs"
)

func TestKeeper_RunsATreeChildFirst(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	k, ends, _ := startKeeper(t, rdb, keeperOptions(1))
	node, role := jobs.NodeQueue("a"), jobs.RoleQueue("builder")
	var mu sync.Mutex
	var order []string
	note := func(_ context.Context, r *jobs.Run) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, r.Kind())
		return map[string]string{"kind": r.Kind()}, nil
	}
	handlers := map[string]jobs.Handler{"build": note, "push": note, "release": note}
	startWorker(t, rdb, node, handlers)
	startWorker(t, rdb, role, handlers)
	root := spec("release", node, spec("push", role, spec("build", role)))

	add(t, k, root)
	add(t, k, root)
	tree := awaitEnd(t, ends)

	wantState(t, tree, jobs.Succeeded)
	if diff := cmp.Diff([]string{"build", "push", "release"}, order); diff != "" {
		t.Fatalf("order (-want +got):\n%s", diff)
	}
	if got, want := string(tree.Jobs[tree.ID].Result), `{"kind":"release"}`; got != want {
		t.Fatalf("result: got %s, want %s", got, want)
	}
}

func TestKeeper_LeavesNoKeyAfterTheEnd(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	opt := keeperOptions(1)
	opt.MayGraft = func(*jobs.Job, jobs.Spec) bool { return true }
	k, ends, _ := startKeeper(t, rdb, opt)
	q := jobs.NodeQueue("a")
	var tries atomic.Int64
	startWorker(t, rdb, q, map[string]jobs.Handler{
		"ok": ok, "wait": untilCancelled,
		"log": func(_ context.Context, r *jobs.Run) (any, error) {
			r.Log("one\ntwo")
			r.Progress(1, 2, "half")
			return nil, r.Graft(jobs.Spec{ID: newID(), Kind: "ok", Queue: q})
		},
		"flaky": func(_ context.Context, r *jobs.Run) (any, error) {
			if tries.Add(1) == 1 {
				return nil, errors.New("not yet")
			}
			return nil, nil
		},
		"bad": func(context.Context, *jobs.Run) (any, error) { return nil, jobs.Permanent(errors.New("no")) },
	})
	for i := range 3 {
		s := spec("ok", q)
		s.Priority = i
		add(t, k, s)
		awaitGone(t, k, awaitEnd(t, ends).ID)
	}
	before := keyspace(t, rdb)

	clean := jobs.Spec{ID: newID(), Kind: "ok", Queue: q, Cleanup: true}
	add(t, k, spec("log", q, spec("flaky", q), spec("log", q)))
	awaitGone(t, k, awaitEnd(t, ends).ID)
	add(t, k, spec("ok", q, spec("bad", q), spec("wait", q), clean))
	awaitGone(t, k, awaitEnd(t, ends).ID)
	aborted := spec("ok", q, spec("wait", q), spec("ok", jobs.NodeQueue("a")))
	add(t, k, aborted)
	if err := k.Abort(t.Context(), aborted.ID, "enough"); err != nil {
		t.Fatalf("Abort: got %v, want nil", err)
	}
	awaitGone(t, k, awaitEnd(t, ends).ID)

	testkit.Eventually(t, "the keyspace to be as before: "+fmt.Sprint(before), func() bool {
		return cmp.Equal(before, keyspace(t, rdb))
	})
}

// keyspace lists every key with its type and, for streams, sets and hashes that
// stay, how much is in it.
func keyspace(tb testing.TB, rdb *redis.Client) []string {
	tb.Helper()
	ctx := tb.Context()
	keys, err := rdb.Keys(ctx, "*").Result()
	if err != nil {
		tb.Fatalf("list the keys: %v", err)
	}
	var out []string
	for _, key := range keys {
		kind := rdb.Type(ctx, key).Val()
		size := int64(-1)
		switch kind {
		case "stream":
			size = rdb.XLen(ctx, key).Val()
		case "set":
			size = rdb.SCard(ctx, key).Val()
		case "hash":
			size = rdb.HLen(ctx, key).Val()
		}
		out = append(out, fmt.Sprintf("%s %s %d", key, kind, size))
	}
	slices.Sort(out)
	return out
}

func TestKeeper_FailsATreeAndRunsItsCleanup(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	k, ends, _ := startKeeper(t, rdb, keeperOptions(1))
	q := jobs.NodeQueue("a")
	var running atomic.Int64
	var cleanedWhileRunning atomic.Bool
	begun := make(chan struct{})
	startWorker(t, rdb, q, map[string]jobs.Handler{
		"ok": ok,
		"wait": func(ctx context.Context, _ *jobs.Run) (any, error) {
			running.Add(1)
			defer running.Add(-1)
			close(begun)
			<-ctx.Done()
			return nil, ctx.Err()
		},
		"bad": func(context.Context, *jobs.Run) (any, error) {
			<-begun
			return nil, jobs.Permanent(errors.New("disk full"))
		},
		"clean": func(context.Context, *jobs.Run) (any, error) {
			cleanedWhileRunning.Store(running.Load() > 0)
			return nil, nil
		},
	})
	clean := jobs.Spec{ID: newID(), Kind: "clean", Queue: q, Cleanup: true}
	bad, wait := spec("bad", q), spec("wait", q)

	add(t, k, spec("ok", q, bad, wait, clean))
	tree := awaitEnd(t, ends)

	wantState(t, tree, jobs.Failed)
	got := []jobs.State{tree.Jobs[bad.ID].State, tree.Jobs[wait.ID].State, tree.Jobs[clean.ID].State, tree.Jobs[tree.ID].State}
	want := []jobs.State{jobs.Failed, jobs.Aborted, jobs.Succeeded, jobs.Aborted}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("states of bad, wait, clean, root (-want +got):\n%s", diff)
	}
	if !strings.Contains(tree.Stop.Reason, "disk full") || cleanedWhileRunning.Load() {
		t.Fatalf("got reason %q, cleaned while running %v; want the cause, and clean-up after the others", tree.Stop.Reason, cleanedWhileRunning.Load())
	}
}

// The abort comes as a message: no beat is near.
func TestKeeper_AbortReachesHandlersBeforeTheirBeat(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	k, ends, _ := startKeeper(t, rdb, keeperOptions(1))
	q := jobs.NodeQueue("a")
	begun := make(chan struct{}, 1)
	cause := make(chan error, 1)
	wopt := workerOptions(q, map[string]jobs.Handler{"wait": func(ctx context.Context, _ *jobs.Run) (any, error) {
		begun <- struct{}{}
		<-ctx.Done()
		cause <- context.Cause(ctx)
		return nil, ctx.Err()
	}})
	wopt.LeaseTTL = testkit.Hang // no beat can bring the abort
	start(t, NewWorker(rdb, wopt).Run)

	for range 10 {
		s := spec("wait", q)
		add(t, k, s)
		<-begun
		if err := k.Abort(t.Context(), s.ID, "by hand"); err != nil {
			t.Fatalf("Abort: got %v, want nil", err)
		}
		if err := <-cause; !errors.Is(err, jobs.ErrAborted) || !strings.Contains(err.Error(), "by hand") {
			t.Fatalf("cause: got %v, want ErrAborted with the reason", err)
		}
		wantState(t, awaitEnd(t, ends), jobs.Aborted)
	}
}

func TestKeeper_AbortTakesBackWhatNobodyTook(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	k, ends, _ := startKeeper(t, rdb, keeperOptions(1))
	s := spec("ok", jobs.NodeQueue("away"))
	add(t, k, s)

	err := k.Abort(t.Context(), s.ID, "node is away")
	tree := awaitEnd(t, ends)

	if err != nil {
		t.Fatalf("Abort: got %v, want nil", err)
	}
	wantState(t, tree, jobs.Aborted)
	if n := rdb.XLen(t.Context(), "{n:away}:q:0").Val(); n != 0 {
		t.Fatalf("entries left in the queue: got %d, want 0", n)
	}
	awaitGone(t, k, s.ID)
	if err := k.Abort(t.Context(), s.ID, "again"); !errors.Is(err, jobs.ErrNotFound) {
		t.Fatalf("Abort of a tree that is gone: got %v, want ErrNotFound", err)
	}
}

func TestWorker_RetriesWithBackoffAndGivesUp(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	k, ends, _ := startKeeper(t, rdb, keeperOptions(1))
	q := jobs.NodeQueue("a")
	var attempts []int
	startWorker(t, rdb, q, map[string]jobs.Handler{
		"bad": func(_ context.Context, r *jobs.Run) (any, error) {
			attempts = append(attempts, r.Attempt())
			return nil, errors.New("no luck")
		},
		"panics": func(context.Context, *jobs.Run) (any, error) { panic("oh") },
	})

	add(t, k, spec("bad", q))
	bad := awaitEnd(t, ends)
	add(t, k, spec("panics", q))
	panics := awaitEnd(t, ends)
	add(t, k, spec("unknown", q))
	unknown := awaitEnd(t, ends)

	if diff := cmp.Diff([]int{1, 2, 3}, attempts); diff != "" {
		t.Fatalf("attempts (-want +got):\n%s", diff)
	}
	for tree, want := range map[*jobs.Tree]string{bad: "no luck", panics: "panicked: oh", unknown: `no jobs of kind "unknown"`} {
		if got := tree.Jobs[tree.ID].Error; tree.State != jobs.Failed || !strings.Contains(got, want) {
			t.Fatalf("got %s with %q, want failed with %q", tree.State, got, want)
		}
	}
}

func TestWorker_KeepsTheTimeLimit(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	opt := keeperOptions(1)
	var clock jumpingClock
	opt.Clock = clock.now
	opt.Policies = map[string]jobs.Policy{"wait": {Timeout: 50 * time.Millisecond}, "deaf": {Timeout: 50 * time.Millisecond}}
	k, ends, _ := startKeeper(t, rdb, opt)
	q := jobs.NodeQueue("a")
	free := make(chan struct{})
	startWorker(t, rdb, q, map[string]jobs.Handler{
		"wait": untilCancelled,
		"deaf": func(context.Context, *jobs.Run) (any, error) { <-free; return nil, nil },
	})

	add(t, k, spec("wait", q))
	polite := awaitEnd(t, ends)
	add(t, k, spec("deaf", q))
	overrun(t, k, &clock, q)
	deaf := awaitEnd(t, ends)
	close(free)

	for _, tree := range []*jobs.Tree{polite, deaf} {
		if got := tree.Jobs[tree.ID].Error; tree.State != jobs.Failed || !strings.Contains(got, "time limit") {
			t.Fatalf("got %s with %q, want failed by the time limit", tree.State, got)
		}
	}
	testkit.Eventually(t, "the late outcome to be counted", func() bool { return k.Stats().Late == 1 })
}

func TestWorker_GraftedChildrenRunBeforeTheParentCounts(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	k, ends, _ := startKeeper(t, rdb, keeperOptions(1))
	q := jobs.RoleQueue("pacemaker")
	child, sibling := spec("ok", jobs.NodeQueue("b")), spec("ok", q)
	var runs, first atomic.Int64
	handlers := map[string]jobs.Handler{
		"ok": ok,
		"place": func(_ context.Context, r *jobs.Run) (any, error) {
			runs.Add(1)
			if err := errors.Join(r.Graft(child), r.GraftRoot(sibling)); err != nil {
				return nil, err
			}
			if first.Add(1) == 1 {
				return nil, errors.New("again, please")
			}
			return "placed", nil
		},
	}
	startWorker(t, rdb, q, handlers)
	startWorker(t, rdb, jobs.NodeQueue("b"), handlers)
	place := spec("place", q)

	add(t, k, spec("ok", q, place))
	tree := awaitEnd(t, ends)

	wantState(t, tree, jobs.Succeeded)
	if len(tree.Jobs) != 4 || runs.Load() != 2 {
		t.Fatalf("got %d jobs and %d runs, want 4 and 2", len(tree.Jobs), runs.Load())
	}
	if c := tree.Jobs[child.ID]; c.Parent != place.ID || c.Ended.After(tree.Jobs[place.ID].Ended) {
		t.Fatalf("child: got parent %s, ended %s; want parent %s, ended before it (%s)", c.Parent, c.Ended, place.ID, tree.Jobs[place.ID].Ended)
	}
	if got := tree.Jobs[sibling.ID].Parent; got != tree.ID {
		t.Fatalf("sibling's parent: got %s, want the root %s", got, tree.ID)
	}
}

func TestKeeper_LogAndWatchFollowAJob(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	k, ends, _ := startKeeper(t, rdb, keeperOptions(1))
	q := jobs.NodeQueue("a")
	goOn := make(chan struct{})
	startWorker(t, rdb, q, map[string]jobs.Handler{"talk": func(_ context.Context, r *jobs.Run) (any, error) {
		for i := range 5000 {
			r.Log(fmt.Sprintf("line %d", i))
		}
		r.Progress(3, 4, "nearly")
		<-goOn
		return nil, nil
	}})
	events := watch(t, k)
	s := spec("talk", q)

	add(t, k, s)
	var lines []LogLine
	testkit.Eventually(t, "the last line", func() bool {
		lines, _ = k.Log(t.Context(), s.ID, "")
		return len(lines) > 0 && lines[len(lines)-1].Text == "line 4999"
	})
	testkit.Eventually(t, "the progress", func() bool {
		tree, err := k.Tree(t.Context(), s.ID)
		return err == nil && tree.Jobs[s.ID].Progress == jobs.Progress{N: 3, M: 4, Text: "nearly"}
	})
	listed, listErr := k.List(t.Context(), Filter{Operation: "op"})
	rest, restErr := k.Log(t.Context(), s.ID, lines[len(lines)-1].ID)
	close(goOn)
	wantState(t, awaitEnd(t, ends), jobs.Succeeded)

	if len(lines) > logLines+200 || lines[0].Time.IsZero() {
		t.Fatalf("got %d lines, first at %s; want about %d, with times", len(lines), lines[0].Time, logLines)
	}
	if listErr != nil || restErr != nil || len(listed) != 1 || len(rest) != 0 {
		t.Fatalf("got %d trees (%v) and %d further lines (%v), want 1 and 0", len(listed), listErr, len(rest), restErr)
	}
	awaitEvents(t, events, map[string]func(Event) bool{
		"the log": func(e Event) bool { return e.Log == s.ID },
		"the end": func(e Event) bool { return e.Tree == s.ID && e.State == jobs.Succeeded },
	})
}

func TestKeeper_CallsOnEndUntilItSucceeds(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	opt := keeperOptions(1)
	var calls atomic.Int64
	opt.OnEnd = func(_ context.Context, tree *jobs.Tree) error {
		if calls.Add(1) < 3 {
			return errors.New("database is locked")
		}
		return nil
	}
	k, _, _ := startKeeper(t, rdb, opt)
	q := jobs.NodeQueue("a")
	startWorker(t, rdb, q, map[string]jobs.Handler{"ok": ok})
	s := spec("ok", q)

	add(t, k, s)
	awaitGone(t, k, s.ID)

	if got := calls.Load(); got != 3 {
		t.Fatalf("calls: got %d, want 3", got)
	}
}
