package redisq

import (
	"errors"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"aorta/internal/testkit"
	"aorta/jobs"
)

// as is a keeper's name at the end of a script's arguments.
type as struct {
	cluster string
	epoch   int
	owner   string
}

var (
	first    = as{"c", 1, "one"}
	second   = as{"c", 2, "two"}
	stranger = as{"x", 9, "x"}
)

func eval(tb testing.TB, rdb *redis.Client, s *redis.Script, who as, keys []string, args ...any) (any, error) {
	tb.Helper()
	got, err := s.Eval(tb.Context(), rdb, keys, append(args, who.cluster, who.epoch, who.owner)...).Result()
	return got, asFenced(err)
}

// must evaluates a script that has to return want.
func must(tb testing.TB, rdb *redis.Client, s *redis.Script, want any, keys []string, args ...any) {
	tb.Helper()
	got, err := eval(tb, rdb, s, second, keys, args...)
	if err != nil || got != want {
		tb.Fatalf("script on %v: got %v, %v; want %v", keys, got, err, want)
	}
}

func TestScripts_RefuseOthersAndWriteNothing(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	k, tree := keysOf(jobs.NodeQueue("a")), treeKey("T")
	must(t, rdb, indexScript, "new", []string{k.own(), k.own()}, "", "")
	must(t, rdb, indexScript, "new", []string{keyOwner, keyOwner}, "", "")
	must(t, rdb, indexScript, "ok", []string{keyOwner, keyTrees}, "SADD", "T")
	must(t, rdb, addScript, int64(1), []string{tree}, "meta", "ch", "ev")
	scripts := map[string]struct {
		script *redis.Script
		keys   []string
		args   []any
	}{
		"index":    {indexScript, []string{keyOwner, keyTrees}, []any{"SADD", "U"}},
		"add":      {addScript, []string{tree}, []any{"meta", "ch", "ev"}},
		"commit":   {commitScript, []string{tree}, []any{1, "meta", "ch", "ev"}},
		"claim":    {claimScript, []string{tree}, []any{10}},
		"drop":     {dropScript, []string{tree}, nil},
		"queue":    {queueScript, []string{k.own(), k.job("j"), k.stream(0), k.jobLog("j"), k.beat()}, []any{group, "t", "j", "{}", "ch", "l", 9, "T"}},
		"cancel":   {cancelScript, []string{k.own(), k.job("j"), k.stream(0)}, []any{group, "t", "r", "ch"}},
		"slot":     {slotScript, []string{keyOwner, keyPeriodic}, []any{"tidy", 1}},
		"absorbed": {absorbedScript, []string{k.own(), k.out()}, []any{"1-1"}},
		"settle":   {settleScript, []string{k.own(), k.job("j"), k.stream(0), k.beat(), k.jobLog("j")}, []any{group, "ch", "drop"}},
	}
	before := strings.Join(keyspace(t, rdb), "\n")

	for name, c := range scripts {
		for _, who := range []as{first, {"c", 2, "twin"}, stranger} {
			_, err := eval(t, rdb, c.script, who, c.keys, c.args...)

			if !errors.Is(err, ErrFenced) || !strings.Contains(err.Error(), "epoch 2, owner two") {
				t.Errorf("%s by %+v: got %v, want ErrFenced naming the owner", name, who, err)
			}
		}
	}
	if after := strings.Join(keyspace(t, rdb), "\n"); after != before {
		t.Errorf("keys after refusals: got\n%s\nwant\n%s", after, before)
	}
}

func TestScripts_TreeLife(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	key := []string{treeKey("T")}

	must(t, rdb, commitScript, int64(-1), key, 1, "m", "ch", "ev")
	if got, err := eval(t, rdb, claimScript, first, key, 100); err != nil || len(got.([]any)) != 6 {
		t.Fatalf("claim of a missing tree: got %v, %v; want the mark alone", got, err)
	}
	if ttl := rdb.TTL(t.Context(), key[0]).Val(); ttl <= 0 {
		t.Fatalf("life of the mark: got %s, want some seconds", ttl)
	}
	must(t, rdb, addScript, int64(1), key, "m", "ch", "ev", "j:a", "1")
	must(t, rdb, addScript, int64(0), key, "m", "ch", "ev", "j:a", "2")
	if ttl := rdb.TTL(t.Context(), key[0]).Val(); ttl > 0 {
		t.Fatalf("life of the tree: got %s, want no end", ttl)
	}
	must(t, rdb, commitScript, int64(2), key, 1, "m2", "ch", "ev", "j:a", "3", "j:b", "4")
	must(t, rdb, commitScript, int64(-2), key, 1, "m3", "ch", "ev", "j:a", "5")
	want := map[string]string{"cluster": "c", "epoch": "2", "owner": "two", "v": "2", "meta": "m2", "j:a": "3", "j:b": "4"}
	got := rdb.HGetAll(t.Context(), key[0]).Val()
	for name, value := range want {
		if got[name] != value {
			t.Errorf("field %s: got %q, want %q", name, got[name], value)
		}
	}
	must(t, rdb, dropScript, int64(1), key)
	must(t, rdb, dropScript, int64(0), key)
}

func TestScripts_LeaseLife(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	ctx, k := t.Context(), keysOf(jobs.NodeQueue("a"))
	put := func(token string) string {
		got, err := eval(t, rdb, queueScript, second, []string{k.own(), k.job("j"), k.stream(0), k.jobLog("j"), k.beat()},
			group, token, "j", "{}", k.control(), "queued", 9, "T")
		if err != nil {
			t.Fatalf("queue under %s: %v", token, err)
		}
		return got.(string)
	}
	cancelKeys := []string{k.own(), k.job("j"), k.stream(0)}
	settleKeys := []string{k.own(), k.job("j"), k.stream(0), k.beat(), k.jobLog("j")}

	if _, err := eval(t, rdb, queueScript, second, []string{k.own(), k.job("j"), k.stream(0), k.jobLog("j"), k.beat()},
		group, "t0", "j", "{}", k.control(), "queued", 9, "T"); err == nil || !strings.HasPrefix(err.Error(), "ANEW") {
		t.Fatalf("queue without an owner record: got %v, want ANEW", err)
	}
	must(t, rdb, indexScript, "new", []string{k.own(), k.own()}, "", "")
	one := put("t1")
	if again := put("t1"); again != one || rdb.XLen(ctx, k.stream(0)).Val() != 1 {
		t.Fatalf("queued again: got entry %s of %d, want %s of 1", again, rdb.XLen(ctx, k.stream(0)).Val(), one)
	}
	rdb.HIncrBy(ctx, k.beat(), "t1", 1)
	put("t2")
	if n, beats := rdb.XLen(ctx, k.stream(0)).Val(), rdb.HLen(ctx, k.beat()).Val(); n != 1 || beats != 0 {
		t.Fatalf("after another lease: got %d entries and %d beats, want 1 and 0", n, beats)
	}

	must(t, rdb, cancelScript, int64(1), cancelKeys, group, "t1", "r", k.control())
	rdb.XReadGroup(ctx, &redis.XReadGroupArgs{Group: group, Consumer: "w", Streams: []string{k.stream(0), ">"}})
	must(t, rdb, cancelScript, int64(0), cancelKeys, group, "t2", "enough", k.control())
	if got := rdb.HGet(ctx, k.job("j"), "abort").Val(); got != "enough" {
		t.Fatalf("abort: got %q, want the reason", got)
	}
	put("t3")
	must(t, rdb, cancelScript, int64(1), cancelKeys, group, "t3", "r", k.control())
	put("t4")
	must(t, rdb, settleScript, int64(1), settleKeys, group, k.control(), "")
	must(t, rdb, settleScript, int64(0), settleKeys, group, k.control(), "drop")

	left := rdb.Keys(ctx, string(k)+"*").Val()
	if n := rdb.XLen(ctx, k.stream(0)).Val(); len(left) != 2 || n != 0 {
		t.Fatalf("left: got %v with %d entries, want the fence and the empty stream", left, n)
	}
}

func TestScripts_IndexNeedsAClaimAndRemoves(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	keys := []string{keyOwner, keyTrees}

	if _, err := eval(t, rdb, indexScript, second, keys, "SADD", "T"); err == nil || !strings.HasPrefix(err.Error(), "ANEW") {
		t.Fatalf("add without an owner record: got %v, want ANEW", err)
	}
	if _, err := eval(t, rdb, slotScript, second, []string{keyOwner, keyPeriodic}, "tidy", 1); err == nil || !strings.HasPrefix(err.Error(), "ANEW") {
		t.Fatalf("note a slot without an owner record: got %v, want ANEW", err)
	}
	must(t, rdb, indexScript, "new", keys, "", "")
	must(t, rdb, slotScript, int64(1), []string{keyOwner, keyPeriodic}, "tidy", 1)
	must(t, rdb, indexScript, "ok", keys, "SADD", "T")
	must(t, rdb, indexScript, "ok", keys, "SREM", "T")
	must(t, rdb, indexScript, "ok", keys, "", "")

	if n := rdb.Exists(t.Context(), keyTrees).Val(); n != 0 {
		t.Fatalf("index: got %d keys, want 0", n)
	}
}
