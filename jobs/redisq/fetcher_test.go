package redisq

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/internal/testkit"
	"aorta/jobs"
)

func TestWorker_UrgentJobsHaveSlotsOfTheirOwn(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	k, ends, _ := startKeeper(t, rdb, keeperOptions(1))
	q := jobs.NodeQueue("a")
	var running atomic.Int64
	opt := workerOptions(q, map[string]jobs.Handler{
		"long": func(ctx context.Context, r *jobs.Run) (any, error) {
			running.Add(1)
			return untilCancelled(ctx, r)
		},
		"stop": ok,
	})
	opt.Concurrency, opt.Urgent = 1, 1
	start(t, NewWorker(rdb, opt).Run)
	long := func() jobs.Spec { s := spec("long", q); s.Priority = jobs.Normal; return s }
	first, second, stop := long(), long(), spec("stop", q)
	add(t, k, first)
	testkit.Eventually(t, "the long job to run", func() bool { return running.Load() == 1 })

	add(t, k, second)
	add(t, k, stop)
	tree := awaitEnd(t, ends)

	if tree.ID != stop.ID || running.Load() != 1 {
		t.Errorf("got tree %s ended and %d long jobs begun, want %s and 1", tree.ID, running.Load(), stop.ID)
	}
}

// A worker that stops while a read of its waits hands back at once what that
// read was answered with, so that nobody is blamed for a crash.
func TestWorker_StopsAtOnceWhileItWaits(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	k, ends, _ := startKeeper(t, rdb, keeperOptions(1))
	q := jobs.NodeQueue("a")
	opt := workerOptions(q, map[string]jobs.Handler{"x": ok})
	opt.block = 4 * testkit.Hang
	for range 20 {
		stop := start(t, NewWorker(rdb, opt).Run)
		var stopping sync.WaitGroup
		stopping.Go(func() { _ = stop() })
		add(t, k, spec("x", q))
		stopping.Wait()
	}
	start(t, NewWorker(rdb, workerOptions(q, opt.Handlers)).Run)

	for range 20 {
		tree := awaitEnd(t, ends)

		wantState(t, tree, jobs.Succeeded)
		if n := tree.Jobs[tree.ID].Crashes; n != 0 {
			t.Errorf("job %s: got %d crashes, want 0", tree.ID, n)
		}
	}
}

// A tree whose first writing failed leaves no trace that forbids the next try.
func TestKeeper_AddIsRepeatedAfterRedisRefusedIt(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	k, ends, _ := startKeeper(t, rdb, keeperOptions(1))
	q := jobs.NodeQueue("a")
	startWorker(t, rdb, q, map[string]jobs.Handler{"ok": ok})
	add(t, k, spec("ok", q)) // the keeper works
	awaitEnd(t, ends)
	s := spec("ok", q, spec("ok", q))

	rdb.ConfigSet(t.Context(), "maxmemory", "1") // no script may write now
	refused := k.Add(testkit.EndedBy(t, 300*time.Millisecond), s, "op")
	rdb.ConfigSet(t.Context(), "maxmemory", "0")
	add(t, k, s)

	if refused == nil {
		t.Fatalf("Add on a full Redis: got nil, want a refusal")
	}
	wantState(t, awaitEnd(t, ends), jobs.Succeeded)
}

func TestDedicated_RepeatsNoMoreThanItsModel(t *testing.T) {
	for _, retries := range []int{-1, 2} {
		c := redis.NewClient(&redis.Options{MaxRetries: retries})
		cc := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"127.0.0.1:1"}, MaxRetries: retries, MaxRedirects: retries})
		own, err := dedicated(c)
		ownCluster, clusterErr := dedicated(cc)
		if err != nil || clusterErr != nil {
			t.Fatalf("got %v and %v, want nil", err, clusterErr)
		}

		if got, want := own.(*redis.Client).Options().MaxRetries, c.Options().MaxRetries; got != want {
			t.Errorf("retries: got %d, want %d", got, want)
		}
		if got, want := ownCluster.(*redis.ClusterClient).Options().MaxRedirects, cc.Options().MaxRedirects; got != want {
			t.Errorf("redirects: got %d, want %d", got, want)
		}
		for _, c := range []redis.UniversalClient{c, cc, own, ownCluster} {
			_ = c.Close()
		}
	}
}
