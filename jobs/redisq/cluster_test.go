package redisq

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"aorta/internal/testkit"
	"aorta/jobs"
)

func connectCluster(tb testing.TB, c *testkit.RedisClusterServers) *redis.ClusterClient {
	tb.Helper()
	opt := c.Options()
	opt.PoolSize, opt.Protocol = 50, 2
	return c.Client(tb, opt)
}

// clusterUser makes a user on every master and logs in as it.
func clusterUser(tb testing.TB, c *testkit.RedisClusterServers, name string, rules []string) *redis.ClusterClient {
	tb.Helper()
	for _, m := range c.Masters {
		aclClient(tb, m.Client(tb), name, rules)
	}
	opt := c.Options()
	opt.Username, opt.Password, opt.Protocol = name, "secret", 2
	return c.Client(tb, opt)
}

var clusterQueues = []jobs.Queue{
	jobs.NodeQueue("a"), jobs.NodeQueue("b"), jobs.NodeQueue("c"), jobs.RoleQueue("builder"), jobs.RoleQueue("pacemaker"),
}

// wideTree is a tree with a job on every queue, in two levels.
func wideTree(root, kind string, on jobs.Queue) jobs.Spec {
	s := spec(root, on)
	for _, q := range clusterQueues {
		s.Children = append(s.Children, spec(kind, q, spec(kind, q)))
	}
	return s
}

// clusterLeft lists what is left of trees, jobs and beats on any master.
func clusterLeft(tb testing.TB, c *testkit.RedisClusterServers) []string {
	tb.Helper()
	var out []string
	for _, m := range c.Masters {
		for _, key := range m.Client(tb).Keys(tb.Context(), "*").Val() {
			if strings.HasPrefix(key, "{t:") || strings.Contains(key, "}:j:") || strings.HasSuffix(key, "}:beat") {
				out = append(out, key)
			}
		}
	}
	return out
}

func TestCluster_TreesRunOverManyQueues(t *testing.T) {
	t.Parallel()
	c := testkit.RedisCluster(t)
	rdb := connectCluster(t, c)
	k, ends, _ := startKeeper(t, rdb, keeperOptions(1))
	used := map[int]bool{}
	handlers := map[string]jobs.Handler{"ok": ok, "wait": untilCancelled, "talk": func(_ context.Context, r *jobs.Run) (any, error) {
		r.Log("one\ntwo")
		r.Progress(1, 2, "half")
		return nil, nil
	}}
	for _, q := range clusterQueues {
		used[c.MasterOf(t, keysOf(q).own())] = true
		startWorker(t, rdb, q, handlers)
	}
	if len(used) < 2 {
		t.Fatalf("masters with queues: got %d, want several", len(used))
	}
	const trees = 8

	for i := range trees {
		add(t, k, wideTree("ok", "talk", clusterQueues[i%len(clusterQueues)]))
	}
	for range trees {
		wantState(t, awaitEnd(t, ends), jobs.Succeeded)
	}
	long := spec("ok", clusterQueues[0], spec("talk", clusterQueues[1]), spec("wait", clusterQueues[2]), spec("wait", clusterQueues[3]))
	events := watch(t, k)
	add(t, k, long)
	lines := awaitLines(t, k, long.Children[0].ID, 2)
	if err := k.Abort(t.Context(), long.ID, "enough"); err != nil {
		t.Fatalf("Abort: got %v, want nil", err)
	}
	wantState(t, awaitEnd(t, ends), jobs.Aborted)

	if fmt.Sprint(lines) != "[one two]" {
		t.Errorf("log: got %v, want one and two", lines)
	}
	awaitEvents(t, events, map[string]func(Event) bool{
		"the log": func(e Event) bool { return e.Log == long.Children[0].ID },
		"the end": func(e Event) bool { return e.Tree == long.ID && e.State == jobs.Aborted },
	})
	testkit.Eventually(t, "no key to be left on any master", func() bool { return len(clusterLeft(t, c)) == 0 })
}

func TestCluster_NodeUserWorksOnItsQueueOnly(t *testing.T) {
	t.Parallel()
	c := testkit.RedisCluster(t)
	rdb := connectCluster(t, c)
	k, ends, _ := startKeeper(t, rdb, keeperOptions(1))
	q := jobs.NodeQueue("a")
	node := clusterUser(t, c, "node", NodeACL("a"))
	startWorker(t, node, q, map[string]jobs.Handler{"talk": func(ctx context.Context, r *jobs.Run) (any, error) {
		r.Log("hello")
		return untilCancelled(ctx, r)
	}, "ok": ok})

	add(t, k, spec("ok", q, spec("ok", q)))
	wantState(t, awaitEnd(t, ends), jobs.Succeeded)
	long := spec("talk", q)
	add(t, k, long)
	awaitLines(t, k, long.ID, 1)
	_ = k.Abort(t.Context(), long.ID, "enough")
	wantState(t, awaitEnd(t, ends), jobs.Aborted)

	for _, args := range [][]any{
		{"HMGET", "{n:b}:j:x", "token"},
		{"XADD", "{n:b}:out", "*", "k", "done"},
		{"HMGET", "{t:x}:tree", "v"},
		{"HMGET", keyOwner, "epoch"},
		{"HINCRBY", "{r:builder}:beat", "t", 1},
	} {
		at := c.MasterOf(t, args[1].(string))
		opt := c.Masters[at].Client(t).Options()
		one := aclLogin(t, opt, "node")
		if err := one.Do(t.Context(), args...).Err(); err == nil || !strings.HasPrefix(err.Error(), "NOPERM") {
			t.Errorf("%v: got %v, want NOPERM", args, err)
		}
	}
}

func TestCluster_GoesOnAfterOneMasterWasRestarted(t *testing.T) {
	t.Parallel()
	c := testkit.RedisCluster(t, "--appendonly", "yes", "--appendfsync", "always")
	rdb := connectCluster(t, c)
	k, ends, _ := startKeeper(t, rdb, hastyOptions(1))
	var runs atomic.Int64
	for _, q := range clusterQueues {
		startWorker(t, rdb, q, map[string]jobs.Handler{"x": func(context.Context, *jobs.Run) (any, error) {
			runs.Add(1)
			return nil, nil
		}})
	}
	const trees = 12
	for i := range trees {
		add(t, k, wideTree("x", "x", clusterQueues[i%len(clusterQueues)]))
	}

	c.Restart(t, c.MasterOf(t, keysOf(clusterQueues[0]).own()))
	for range trees {
		wantState(t, awaitEnd(t, ends), jobs.Succeeded)
	}

	testkit.Eventually(t, "no key to be left on any master", func() bool { return len(clusterLeft(t, c)) == 0 })
	t.Logf("runs of %d jobs: %d; resyncs: %d", trees*11, runs.Load(), k.Stats().Resyncs)
}
