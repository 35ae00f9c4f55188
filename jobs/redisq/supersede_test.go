package redisq

import (
	"context"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/jobs"
)

// A job that a worker has, and one that waits in the queue of a worker that is gone: both
// give way to others, and nothing is left of them in the queues.
func TestKeeper_SupersedesWhatAWorkerHasAndWhatNobodyTakes(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	k, ends, _ := startKeeper(t, rdb, keeperOptions(1))
	begun, stopped := make(chan struct{}), make(chan error, 1)
	here, away := jobs.NodeQueue("here"), jobs.NodeQueue("away")
	startWorker(t, rdb, here, map[string]jobs.Handler{"ok": ok, "wait": func(ctx context.Context, _ *jobs.Run) (any, error) {
		close(begun)
		<-ctx.Done()
		stopped <- context.Cause(ctx)
		return "late", nil
	}})
	root := spec("ok", here, spec("wait", here), spec("ok", away))
	add(t, k, root)
	testkit.Receive(t, "the handler to begin", begun)
	taken, queued := root.Children[0].ID, root.Children[1].ID

	for _, id := range []string{taken, queued} {
		by := []jobs.Spec{spec("ok", here)}
		for range 2 {
			if err := k.Supersede(testkit.Bounded(t), id, by, "its node is dead"); err != nil {
				t.Fatalf("Supersede: got %v, want nil", err)
			}
		}
	}
	cause := testkit.Receive(t, "the handler's context to end", stopped)
	tree := awaitEnd(t, ends)

	wantState(t, tree, jobs.Succeeded)
	want := map[jobs.State]int{jobs.Superseded: 2, jobs.Succeeded: 3}
	if got := countStates(tree); got[jobs.Superseded] != 2 || got[jobs.Succeeded] != 3 {
		t.Errorf("got states %v, want %v", got, want)
	}
	if j := tree.Jobs[taken]; j.Result != nil || j.Error != "its node is dead" || cause == nil {
		t.Errorf("got the result %s, the reason %q, the cause %v; want none, that of its end, one", j.Result, j.Error, cause)
	}
	awaitGone(t, k, root.ID)
}

// A keeper that dies once a job was superseded, and before its queue heard of that: the
// next one takes its entry back, and tells whoever has it.
func TestKeeper_TakesBackWhatWasSupersededBeforeItDied(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	opt := keeperOptions(1)
	k, _, stop := startKeeper(t, rdb, opt)
	away := jobs.NodeQueue("away")
	root := spec("ok", jobs.RoleQueue("nobody"), spec("ok", away))
	add(t, k, root)
	entries := func() int64 { return rdb.XLen(t.Context(), keysOf(away).stream(0)).Val() }
	testkit.Eventually(t, "the job to be queued", func() bool { return entries() == 1 })
	_ = stop()
	text := rdb.HGet(t.Context(), treeKey(root.ID), "j:"+root.Children[0].ID).Val()
	text = strings.Replace(text, `"state":"ready"`, `"state":"superseded"`, 1)
	if err := rdb.HSet(t.Context(), treeKey(root.ID), "j:"+root.Children[0].ID, text).Err(); err != nil {
		t.Fatalf("write the job: %v", err)
	}

	startKeeper(t, rdb, keeperOptions(2))

	testkit.Eventually(t, "the entry to be taken back", func() bool {
		return entries() == 0 && rdb.Exists(t.Context(), keysOf(away).job(root.Children[0].ID)).Val() == 0
	})
}
