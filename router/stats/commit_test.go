package stats

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
)

func TestStore_CommitShowsInEveryDimensionOnceTaken(t *testing.T) {
	r := newRig(t)
	now := time.Now()
	retried := hit(now)
	retried.Instance, retried.Tried, retried.Attempts, retried.Status = inst2, []string{inst1}, 2, 502

	r.commit(router1, hit(now), retried)

	all := Counters{Requests: 2, Attempts: 3, Bytes: 2000, Status: [6]uint64{2: 1, 5: 1}, Latency: Histogram{{bucketOf(0.012), 2}}}
	at := Query{App: appA, From: now.Add(-time.Minute), To: now.Add(time.Second)}
	for name, c := range map[string]struct {
		change func(*Query)
		want   Counters
	}{
		"app":           {func(*Query) {}, all},
		"release":       {func(q *Query) { q.Release = release1 }, all},
		"type":          {func(q *Query) { q.Type = "web" }, all},
		"node":          {func(q *Query) { q.Node = node1 }, all},
		"router":        {func(q *Query) { q.Router = router1 }, all},
		"all apps":      {func(q *Query) { q.App = "" }, all},
		"node of all":   {func(q *Query) { q.App, q.Node = "", node1 }, all},
		"failed":        {func(q *Query) { q.Instance = inst1 }, Counters{Requests: 1, Attempts: 2, Bytes: 1000, Status: [6]uint64{2: 1}}},
		"answered":      {func(q *Query) { q.Instance = inst2 }, Counters{Requests: 1, Attempts: 1, Bytes: 1000, Status: [6]uint64{5: 1}}},
		"other router":  {func(q *Query) { q.Router = router2 }, Counters{}},
		"other release": {func(q *Query) { q.Release = release2 }, Counters{}},
		"before":        {func(q *Query) { q.To = now.Truncate(time.Second) }, Counters{}},
	} {
		q := at
		c.change(&q)
		if diff := cmp.Diff(c.want, r.window(q)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	total, err := r.store.Totals(t.Context(), appA)
	ofRelease, err2 := r.store.ReleaseTotals(t.Context(), appA, release1)
	if err != nil || err2 != nil || cmp.Diff(all, total) != "" || cmp.Diff(all, ofRelease) != "" {
		t.Errorf("totals: got %+v %v and %+v %v, want %+v", total, err, ofRelease, err2, all)
	}
}

func TestStore_CommitCountsOnceUnderRepetition(t *testing.T) {
	r := newRig(t)
	h := hit(time.Now())
	b := NewBatch()
	b.Add(&h)
	shard, to := ShardOf(appA), Position{"8:1:2": 100, "8:2:2": 7}

	first := r.store.Commit(t.Context(), shard, router1, nil, to, b)
	again := r.store.Commit(t.Context(), shard, router1, nil, to, b)
	r.take()

	if first != nil || !errors.Is(again, ErrMoved) {
		t.Errorf("got %v and %v, want none and ErrMoved", first, again)
	}
	positions, err := r.store.Positions(t.Context(), router1)
	if err != nil || !positions[shard].Equal(to) || positions[0].Equal(to) != (shard == 0) {
		t.Errorf("positions: got %v %v, want %v in shard %d", positions, err, to, shard)
	}
	if total, err := r.store.Totals(t.Context(), appA); err != nil || total.Requests != 1 {
		t.Errorf("total: got %d %v, want 1", total.Requests, err)
	}
}

// lostAnswer lets a script run and then says that the connection broke.
type lostAnswer struct{ left int }

func (*lostAnswer) DialHook(next redis.DialHook) redis.DialHook { return next }

func (*lostAnswer) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (l *lostAnswer) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if err == nil && l.left > 0 && strings.HasPrefix(cmd.Name(), "eval") {
			l.left--
			cmd.SetErr(errLost)
			return errLost
		}
		return err
	}
}

var errLost = errors.New("the connection broke after the command")

func TestStore_CommitCountsOnceAfterALostAnswer(t *testing.T) {
	r := newRig(t)
	r.rdb.AddHook(&lostAnswer{left: 1})
	h := hit(time.Now())
	b := NewBatch()
	b.Add(&h)

	first := r.store.Commit(t.Context(), ShardOf(appA), router1, nil, Position{"f": 1}, b)
	again := r.store.Commit(t.Context(), ShardOf(appA), router1, nil, Position{"f": 1}, b)
	r.take()

	if !errors.Is(first, errLost) || !errors.Is(again, ErrMoved) {
		t.Errorf("got %v and %v, want a lost answer and ErrMoved", first, again)
	}
	if total, _ := r.store.Totals(t.Context(), appA); total.Requests != 1 {
		t.Errorf("total: got %d, want 1", total.Requests)
	}
}

func TestStore_CommitRefusesWhatCouldCountWrongly(t *testing.T) {
	r := newRig(t)
	h := hit(time.Now())
	b := NewBatch()
	b.Add(&h)

	standing := r.store.Commit(t.Context(), ShardOf(appA), router1, nil, Position{}, b)
	foreign := r.store.Commit(t.Context(), Shards-1, router1, nil, Position{"f": 1}, b)
	nowhere := r.store.Commit(t.Context(), Shards, router1, nil, Position{"f": 1}, b)

	if standing == nil || foreign == nil || nowhere == nil {
		t.Errorf("got %v, %v, %v, want three errors", standing, foreign, nowhere)
	}
	if got := r.everything(); got != "map[]" {
		t.Errorf("got %s, want nothing written", got)
	}
}

func TestStore_CommitMovesAPositionWithoutHitsAndBackToNothing(t *testing.T) {
	r := newRig(t)

	there := r.store.Commit(t.Context(), 3, router1, nil, Position{"f": 1}, NewBatch())
	back := r.store.Commit(t.Context(), 3, router1, Position{"f": 1}, nil, NewBatch())

	if there != nil || back != nil || r.everything() != "map[]" {
		t.Errorf("got %v, %v and %s, want none and nothing", there, back, r.everything())
	}
}

func TestStore_RequestsOfNoAppShareOneKey(t *testing.T) {
	r := newRig(t)
	now := time.Now()

	r.commit(router1, Hit{Time: now, Status: 404, Bytes: 10})

	want := Counters{Requests: 1, Attempts: 0, Bytes: 10, Status: [6]uint64{4: 1}, Latency: Histogram{{0, 1}}}
	got := r.window(Query{App: NoApp, From: now.Add(-time.Second), To: now.Add(time.Second)})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("window (-want +got):\n%s", diff)
	}
	if total, err := r.store.Totals(t.Context(), NoApp); err != nil || cmp.Diff(want, total) != "" {
		t.Errorf("totals: got %+v %v, want %+v", total, err, want)
	}
}

func TestStore_ForgetLeavesNothingOfTheApp(t *testing.T) {
	r := newRig(t)
	other := hit(time.Now())
	for i := range 1000 {
		if other.App = fmt.Sprint("app", i); ShardOf(other.App) == ShardOf(appA) {
			break
		}
	}
	r.commit(router1, other)
	key := posKey(ShardOf(appA), router1)
	if err := r.rdb.Del(t.Context(), key).Err(); err != nil {
		t.Fatal(err)
	}
	want := r.everything()
	r.at = map[string]Position{}
	now := time.Now()
	r.commit(router1, hit(now), hit(now.Add(-time.Hour)), hit(now.Add(-72*time.Hour)))
	r.roll(now)

	err := r.store.Forget(t.Context(), appA)

	r.rdb.Del(t.Context(), key)
	if got := r.everything(); err != nil || got != want {
		t.Errorf("got %v and\n%s\nwant none and\n%s", err, got, want)
	}
}

func TestStore_ForgetEndsWhateverARouterPutThere(t *testing.T) {
	r := newRig(t)
	r.commit(router1, hit(time.Now()))
	due := dueKey(ShardOf(appA), appA)
	if err := r.rdb.ZAdd(t.Context(), due, redis.Z{Member: "nonsense"}, redis.Z{Member: ":"}).Err(); err != nil {
		t.Fatal(err)
	}

	err := r.store.Forget(t.Context(), appA)

	r.rdb.Del(t.Context(), posKey(ShardOf(appA), router1))
	if got := r.everything(); err != nil || got != "map[]" {
		t.Errorf("got %v and %s, want none and nothing", err, got)
	}
}

func TestStore_CommitGoesOnWhereATotalIsFull(t *testing.T) {
	r := newRig(t)
	shard := ShardOf(appA)
	if err := r.rdb.HSet(t.Context(), totalKey(shard, appA), "requests", int64(math.MaxInt64)).Err(); err != nil {
		t.Fatal(err)
	}

	r.commit(router1, hit(time.Now()))
	r.commit(router1, hit(time.Now()))

	if total, err := r.store.ReleaseTotals(t.Context(), appA, release1); err != nil || total.Requests != 2 {
		t.Errorf("the release's total: got %d %v, want 2", total.Requests, err)
	}
}

func TestStore_TotalsReadWhateverARouterPutThere(t *testing.T) {
	r := newRig(t)
	r.commit(router1, hit(time.Now()))
	key := totalKey(ShardOf(appA), appA)
	for _, field := range []string{"", "x", "h", "attempts"} {
		if err := r.rdb.HIncrBy(t.Context(), key, field, -9).Err(); err != nil {
			t.Fatal(err)
		}
	}

	total, err := r.store.Totals(t.Context(), appA)

	if err != nil || total.Requests != 1 || total.Attempts != 0 {
		t.Errorf("got %+v %v, want one request and no attempt", total, err)
	}
}

// tailer is a client with the rules of router1's user.
func (r *rig) tailer() *redis.Client {
	r.Helper()
	args := []any{"ACL", "SETUSER", "tailer", "on", ">secret"}
	for rule := range strings.FieldsSeq(TailerRules(router1)) {
		args = append(args, rule)
	}
	if err := r.rdb.Do(r.Context(), args...).Err(); err != nil {
		r.Fatalf("set the rules: %v", err)
	}
	for _, text := range TailerScripts() {
		if err := r.rdb.ScriptLoad(r.Context(), text).Err(); err != nil {
			r.Fatalf("load a script: %v", err)
		}
	}
	options := *r.rdb.Options()
	options.Username, options.Password = "tailer", "secret"
	tailer := redis.NewClient(&options)
	r.Cleanup(func() { _ = tailer.Close() })
	return tailer
}

func TestTailerRules_AllowWhatATailerNeedsAndNoMore(t *testing.T) {
	r := newRig(t)
	store := NewStore(r.tailer())
	h := hit(time.Now())
	b := NewBatch()
	b.Add(&h)

	_, positions := store.Positions(t.Context(), router1)
	commit := store.Commit(t.Context(), ShardOf(appA), router1, nil, Position{"f": 1}, b)
	back := store.Commit(t.Context(), ShardOf(appA), router1, Position{"f": 1}, nil, NewBatch())
	mark, durable := store.Durable(t.Context())
	_, totals := store.Totals(t.Context(), appA)
	foreign := store.Commit(t.Context(), ShardOf(appA), router2, nil, Position{"f": 1}, b)

	if positions != nil || commit != nil || back != nil || durable != nil || totals == nil || foreign == nil {
		t.Fatalf("got %v, %v, %v, %v, %v and %v, want only the last two refused", positions, commit, back, durable, totals, foreign)
	}
	if _, err := mark(t.Context()); err != nil {
		t.Errorf("mark: got %v, want none", err)
	}
}

func TestTailerRules_KeepARouterFromWhatOthersCounted(t *testing.T) {
	r := newRig(t)
	now := time.Now()
	r.commit(router2, hit(now))
	tailer, shard := r.tailer(), ShardOf(appA)
	others, total, apps := posKey(shard, router2), totalKey(shard, appA), appsKey(shard)
	second := slot{0, levels[0].start(now.Unix()), dimApp}.key(shard, appA)
	later := slot{0, levels[0].start(now.Unix()) + 60, dimApp}.key(shard, appA)
	before := r.everything()

	for _, command := range [][]any{
		{"EVAL", "return 1", 0},
		{"EVAL", "return 1", 1, second},
		{"SCRIPT", "LOAD", "return 1"},
		{"FUNCTION", "LOAD", "#!lua name=x\nredis.register_function('x', function() end)"},
		{"GET", others},
		{"SET", others, "garbage"},
		{"APPEND", others, "garbage"},
		{"DEL", others},
		{"GET", second},
		{"SET", second, ""},
		{"DEL", second},
		{"DEL", total},
		{"DEL", apps},
		{"ZADD", later, 0, "another type"},
		{"HINCRBY", later, "another type", 1},
		{"APPEND", totalKey(shard, "new"), "another type"},
		{"APPEND", second, "\x00\x00\x01\x01"},
		{"HINCRBY", total, "requests", 1},
		{"ZADD", apps, 0, "made-up"},
		{"APPEND", inboxKey(shard, router2), "x"},
		{"APPEND", "{s:17}:in:" + router1, "x"},
		{"SET", "{s:made-up}:pos:" + router1, "x"},
		{"GET", inboxKey(shard, router1)},
		{"HINCRBY", dueKey(shard, "new"), "another type", 1},
		{"KEYS", "*"},
		{"SCAN", 0},
		{"FLUSHALL"},
		{"FLUSHDB"},
		{"SWAPDB", 0, 1},
		{"CONFIG", "GET", "*"},
		{"CONFIG", "SET", "maxmemory", "1"},
		{"CONFIG", "REWRITE"},
		{"ACL", "LIST"},
		{"ACL", "SETUSER", "default", "on", "nopass", "~*", "+@all"},
		{"CLIENT", "LIST"},
		{"CLIENT", "KILL", "SKIPME", "no"},
		{"CLIENT", "PAUSE", "100"},
		{"SCRIPT", "FLUSH"},
		{"SCRIPT", "KILL"},
		{"REPLICAOF", "127.0.0.1", "1"},
		{"SAVE"},
		{"MONITOR"},
		{"SUBSCRIBE", "x"},
		{"PUBLISH", "x", "y"},
		{"PSYNC", "?", "-1"},
		{"SHUTDOWN", "NOSAVE"},
	} {
		if err := tailer.Do(t.Context(), command...).Err(); err == nil || !strings.HasPrefix(err.Error(), "NOPERM") {
			t.Errorf("%v: got %v, want it refused", command, err)
		}
	}
	if after := r.everything(); after != before {
		t.Errorf("got\n%s\nwant everything as it was\n%s", after, before)
	}
}
