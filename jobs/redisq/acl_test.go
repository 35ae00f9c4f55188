package redisq

import (
	"context"
	"strings"
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
	opt := *rdb.Options()
	opt.Username, opt.Password = name, "secret"
	c := redis.NewClient(&opt)
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
	testkit.Eventually(t, testLimit, "both to beat and to log", func() bool {
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

func TestNodeACL_RefusesEverythingElse(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	node := aclClient(t, rdb, "node", NodeACL("a"))
	if err := rdb.XGroupCreateMkStream(t.Context(), "{n:a}:q:0", group, "0").Err(); err != nil {
		t.Fatalf("make the group: %v", err)
	}
	refused := [][]any{
		{"EVAL", "return 1", 0},
		{"EVALSHA", indexScript.Hash(), 0},
		{"SCRIPT", "LOAD", "return 1"},
		{"FCALL", "x", 0},
		{"FLUSHALL"},
		{"CONFIG", "GET", "*"},
		{"ACL", "LIST"},
		{"KEYS", "*"},
		{"SCAN", 0},
		{"GET", "{n:a}:q:0"},
		{"DEL", "{n:a}:q:0"},
		{"INFO"},
		{"CLIENT", "LIST"},
		{"MONITOR"},
		{"HMGET", "{n:b}:j:x", "token"},
		{"HMGET", "{n:a}:own", "epoch"},
		{"HMGET", "{t:x}:tree", "v"},
		{"HMGET", keyOwner, "epoch"},
		{"HINCRBY", "{n:a}:j:x", "token", 1},
		{"HDEL", "{n:a}:j:x", "token"},
		{"HINCRBY", "{n:a}:own", "epoch", 1},
		{"HINCRBY", "{n:b}:beat", "t", 1},
		{"HINCRBY", "{r:builder}:beat", "t", 1},
		{"XADD", "{n:b}:out", "*", "k", "done"},
		{"XADD", "{n:b}:q:0", "*", "job", "x"},
		{"XADD", keyWake, "*", "k", "wake"},
		{"XADD", "{n:a}:j:x", "*", "l", "x"},
		{"XREADGROUP", "GROUP", group, "c", "STREAMS", "{n:b}:q:0", ">"},
		{"XREADGROUP", "GROUP", group, "c", "STREAMS", "{n:a}:out", ">"},
		{"XGROUP", "DESTROY", "{n:a}:q:0", group},
		{"XACK", "{n:b}:q:0", group, "1-1"},
		{"XDEL", "{r:builder}:q:0", "1-1"},
		{"PUBLISH", channelChanged, "x"},
		{"PUBLISH", "{n:b}:ctl", "x"},
		{"SUBSCRIBE", "{n:b}:ctl"},
		{"PSUBSCRIBE", "*"},
	}

	for _, args := range refused {
		err := node.Do(t.Context(), args...).Err()

		if err == nil || !strings.HasPrefix(err.Error(), "NOPERM") {
			t.Errorf("%v: got %v, want NOPERM", args, err)
		}
	}
	allowed := [][]any{{"PING"}, {"HMGET", "{n:a}:j:x", "token"}, {"XADD", "{n:a}:out", "*", "k", "done"}, {"XADD", "{n:a}:j:x:log", "NOMKSTREAM", "*", "l", "x"}}
	for _, args := range allowed {
		if err := node.Do(t.Context(), args...).Err(); err != nil && err != redis.Nil {
			t.Errorf("%v: got %v, want nil", args, err)
		}
	}
}
