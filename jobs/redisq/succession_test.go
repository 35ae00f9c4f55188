package redisq

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"aorta/internal/testkit"
	"aorta/jobs"
)

// A successor has claimed the queues and not yet the trees when the older keeper
// deletes a tree that has ended: nothing of it may stay for ever.
func TestKeeper_DropsNoTreeWhoseQueuesAreAnothers(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	opt := keeperOptions(1)
	asked, free := make(chan struct{}), make(chan struct{})
	opt.OnEnd = func(context.Context, *jobs.Tree) error { close(asked); <-free; return nil }
	old, _, _ := startKeeper(t, rdb, opt)
	q := jobs.NodeQueue("a")
	startWorker(t, rdb, q, map[string]jobs.Handler{"ok": ok})
	add(t, old, spec("ok", q))
	<-asked
	next := keeperOptions(2)
	own := keysOf(q).own()
	_, err := eval(t, rdb, indexScript, as{next.Cluster, int(next.Epoch), next.Owner}, []string{own, own}, "", "")
	if err != nil {
		t.Fatalf("claim the queue: %v", err)
	}

	close(free)
	<-old.stopped
	_, ends, _ := startKeeper(t, rdb, next)
	wantState(t, awaitEnd(t, ends), jobs.Succeeded)

	testkit.Eventually(t, "no key of the job to be left", func() bool {
		return !strings.Contains(strings.Join(rdb.Keys(t.Context(), "*").Val(), " "), "}:j:")
	})
}

// A keeper that does not know yet that it was succeeded reads the same messages:
// those that it does not understand are not its to delete.
func TestKeeper_OlderOneDeletesNoMessages(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	opt := keeperOptions(1)
	opt.sweep = 0 // it looks for a successor every minute only
	old, oldEnds, _ := startKeeper(t, rdb, opt)
	q := jobs.NodeQueue("a")
	startWorker(t, rdb, q, map[string]jobs.Handler{"ok": ok})
	add(t, old, spec("ok", q))
	awaitEnd(t, oldEnds)
	next := keeperOptions(2)
	k, ends, _ := startKeeper(t, rdb, next)

	const trees = 20
	for range trees {
		add(t, k, spec("ok", q))
	}
	for range trees {
		wantState(t, awaitEnd(t, ends), jobs.Succeeded)
	}

	if got := k.Stats().Lost; got != 0 {
		t.Fatalf("leases lost: got %d, want 0", got)
	}
}

func TestScripts_AbsorbedDeletesWhatIsThere(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	k := keysOf(jobs.NodeQueue("a"))
	if _, err := eval(t, rdb, absorbedScript, second, []string{k.own(), k.out()}, "1-1"); err == nil || !strings.HasPrefix(err.Error(), "ANEW") {
		t.Fatalf("without an owner record: got %v, want ANEW", err)
	}
	must(t, rdb, indexScript, "new", []string{k.own(), k.own()}, "", "")
	id := rdb.XAdd(t.Context(), &redis.XAddArgs{Stream: k.out(), Values: []any{"k", "v"}}).Val()

	must(t, rdb, absorbedScript, int64(1), []string{k.own(), k.out()}, id, "1-1")
	must(t, rdb, absorbedScript, int64(0), []string{k.own(), k.out()}, id)
}

// A server that is emptied between a tree's writing and the queueing of its job
// must not get the job alone: nobody would ever delete it.
func TestKeeper_QueuesNothingOnAServerThatWasEmptied(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	opt := keeperOptions(1)
	opt.Crash = func(point string) {
		if point == "child:advanced" {
			rdb.FlushAll(t.Context())
		}
	}
	k, _, _ := startKeeper(t, rdb, opt)
	q := jobs.NodeQueue("a")
	var runs atomic.Int64
	startWorker(t, rdb, q, map[string]jobs.Handler{"child": ok, "root": func(context.Context, *jobs.Run) (any, error) {
		runs.Add(1)
		return nil, nil
	}})

	add(t, k, spec("root", q, spec("child", q)))
	testkit.Eventually(t, "the keeper to begin anew", func() bool { return k.Stats().Resyncs > 1 })
	next := spec("child", jobs.NodeQueue("b"))
	add(t, k, next)

	if left := keysLike(t, rdb, "{n:a}:j:*"); len(left) > 0 || runs.Load() > 0 {
		t.Errorf("got keys %v and %d runs of a job whose tree is gone, want none", left, runs.Load())
	}
}
