package redisq

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"

	"aorta/internal/testkit"
	"aorta/jobs"
)

func send(tb testing.TB, rdb *redis.Client, stream string, values []any) {
	tb.Helper()
	if err := rdb.XAdd(tb.Context(), &redis.XAddArgs{Stream: stream, Values: values}).Err(); err != nil {
		tb.Fatalf("append to %s: %v", stream, err)
	}
}

// aclClient makes a user of these rules and logs in as it.
func aclClient(tb testing.TB, rdb *redis.Client, name string, rules []string) *redis.Client {
	tb.Helper()
	args := []any{"ACL", "SETUSER", name, "on", ">secret"}
	for _, r := range rules {
		args = append(args, r)
	}
	if err := rdb.Do(tb.Context(), args...).Err(); err != nil {
		tb.Fatalf("make the user %s: %v", name, err)
	}
	return aclLogin(tb, rdb.Options(), name)
}

// aclLogin connects as a user that exists.
func aclLogin(tb testing.TB, opt *redis.Options, name string) *redis.Client {
	tb.Helper()
	as := *opt
	as.Username, as.Password = name, "secret"
	// What the other client's connections registered there is not for these.
	as.PushNotificationProcessor, as.MaintNotificationsConfig = nil, unannounced()
	c := redis.NewClient(&as)
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

func TestNodeACL_IsEnoughToWork(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	k, ends, _ := startKeeper(t, rdb, keeperOptions(1))
	grow := func(q jobs.Queue) jobs.Handler {
		return func(ctx context.Context, r *jobs.Run) (any, error) {
			r.Log("hello")
			r.Progress(1, 1, "done")
			<-ctx.Done() // long enough for beats: until the abort
			return nil, ctx.Err()
		}
	}
	node, role := jobs.NodeQueue("a"), jobs.RoleQueue("builder")
	asNode := aclClient(t, rdb, "node", NodeACL("a"))
	asRole := aclClient(t, rdb, "role", RoleACL("builder"))
	startWorker(t, asNode, node, map[string]jobs.Handler{"ok": ok, "long": grow(node)})
	startWorker(t, asRole, role, map[string]jobs.Handler{"ok": ok, "long": grow(role)})

	add(t, k, spec("ok", node, spec("ok", role)))
	short := awaitEnd(t, ends)
	long := spec("ok", node, spec("long", node), spec("long", role))
	add(t, k, long)
	testkit.Eventually(t, "both to beat and to log", func() bool {
		beats := rdb.HLen(t.Context(), "{n:a}:beat").Val() + rdb.HLen(t.Context(), "{r:builder}:beat").Val()
		lines, _ := k.Log(t.Context(), long.Children[0].ID, "")
		return beats == 2 && len(lines) == 1
	})
	_ = k.Abort(t.Context(), long.ID, "enough")
	aborted := awaitEnd(t, ends)

	wantState(t, short, jobs.Succeeded)
	wantState(t, aborted, jobs.Aborted)
	if denied := rdb.ACLLog(t.Context(), 10).Val(); len(denied) != 0 {
		t.Fatalf("refused commands: got %+v, want none", denied[0])
	}
}

// Its own queue's keys are not all its own to write, or to read.
func TestNodeACL_LeavesAloneWhatTheKeeperWrites(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	node := aclClient(t, rdb, "node", NodeACL("a"))

	for _, args := range [][]any{
		{"HMGET", "{n:a}:own", "epoch"},
		{"HINCRBY", "{n:a}:own", "epoch", 1},
		{"HINCRBY", "{n:a}:j:x", "token", 1},
		{"HDEL", "{n:a}:j:x", "token"},
		{"XADD", "{n:a}:j:x", "*", "l", "x"},
		{"XREADGROUP", "GROUP", group, "c", "STREAMS", "{n:a}:out", ">"},
		{"XGROUP", "DESTROY", "{n:a}:q:0", group},
		{"PSUBSCRIBE", "*"},
	} {
		if got, refused := refusedFor(t.Context(), node, args); !refused {
			t.Errorf("%v: got %s, want NOPERM", args, got)
		}
	}
}
