package redisq

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/internal/testkit"
	"aorta/jobs"
)

func TestKeeper_QueuesAnewWhatVanishedFromItsQueue(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	opt := keeperOptions(1)
	var clock jumpingClock
	opt.Clock = clock.now
	k, ends, _ := startKeeper(t, rdb, opt)
	q := jobs.NodeQueue("a")
	stream := keysOf(q).stream(jobs.High)
	s := spec("x", q)
	add(t, k, s)
	entry := rdb.HGet(t.Context(), keysOf(q).job(s.ID), "entry").Val()

	if n := rdb.XDel(t.Context(), stream, entry).Val(); n != 1 {
		t.Fatalf("entries deleted: got %d, want 1", n)
	}
	lapse(t, k, &clock)
	testkit.Eventually(t, "the job to be queued anew", func() bool {
		return rdb.XLen(t.Context(), stream).Val() == 1
	})
	startWorker(t, rdb, q, map[string]jobs.Handler{"x": ok})
	tree := awaitEnd(t, ends)

	if j := tree.Jobs[s.ID]; j.State != jobs.Succeeded || j.Attempt != 1 || j.Crashes != 0 {
		t.Fatalf("got %s after %d attempts and %d crashes, want succeeded after 1 and 0", j.State, j.Attempt, j.Crashes)
	}
}

func TestKeeper_WaitsForAQueuesWorkerForEver(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	opt := keeperOptions(1)
	var clock jumpingClock
	opt.Clock = clock.now
	k, ends, _ := startKeeper(t, rdb, opt)
	q := jobs.NodeQueue("away")
	s := spec("x", q)
	add(t, k, s)
	first, _ := k.Tree(t.Context(), s.ID)

	lapse(t, k, &clock)
	lapse(t, k, &clock)
	startWorker(t, rdb, q, map[string]jobs.Handler{"x": ok})
	tree := awaitEnd(t, ends)

	if got, want := tree.Jobs[s.ID].Lease, first.Jobs[s.ID].Lease; got != want || k.Stats().Lost != 0 {
		t.Fatalf("got lease %s and %d lost, want the first one, %s, and 0", got, k.Stats().Lost, want)
	}
}

func TestWorker_DropsAnEntryWhoseLeaseIsOver(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	k, ends, _ := startKeeper(t, rdb, keeperOptions(1))
	q := jobs.NodeQueue("a")
	stream := keysOf(q).stream(jobs.High)
	var runs atomic.Int64
	s := spec("x", q)
	add(t, k, s)
	send(t, rdb, stream, []any{"job", s.ID, "tree", s.ID, "token", "of a former lease"})

	startWorker(t, rdb, q, map[string]jobs.Handler{"x": func(context.Context, *jobs.Run) (any, error) {
		runs.Add(1)
		return nil, nil
	}})
	wantState(t, awaitEnd(t, ends), jobs.Succeeded)
	testkit.Eventually(t, "the queue to be empty", func() bool {
		return rdb.XLen(t.Context(), stream).Val() == 0
	})

	if runs.Load() != 1 || k.Stats().Late != 0 {
		t.Fatalf("got %d runs and %d late outcomes, want 1 and 0", runs.Load(), k.Stats().Late)
	}
}

func TestWorker_LateHandlerLeavesNoKey(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	opt := keeperOptions(1)
	var clock jumpingClock
	opt.Clock = clock.now
	opt.Policies = map[string]jobs.Policy{"deaf": {Timeout: 10 * time.Millisecond}}
	k, ends, _ := startKeeper(t, rdb, opt)
	q := jobs.NodeQueue("a")
	free := make(chan struct{})
	startWorker(t, rdb, q, map[string]jobs.Handler{"deaf": func(_ context.Context, r *jobs.Run) (any, error) {
		<-free
		r.Log("still here")
		r.Progress(1, 1, "")
		return nil, nil
	}})
	s := spec("deaf", q)
	add(t, k, s)
	overrun(t, k, &clock, q)
	wantState(t, awaitEnd(t, ends), jobs.Failed)
	awaitGone(t, k, s.ID)

	close(free)
	testkit.Eventually(t, "the late outcome to be counted", func() bool { return k.Stats().Late == 1 })

	for _, key := range keyspace(t, rdb) {
		if strings.Contains(key, s.ID) || strings.Contains(key, "beat") {
			t.Errorf("key left: got %s, want none of the job", key)
		}
	}
}

// A keeper that did not run for a while, or whose clock jumped, has heard
// nobody: that proves nothing.
func TestKeeper_ForgivesSilenceWhileItWasAway(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	opt := keeperOptions(1)
	var clock jumpingClock
	opt.Clock = clock.now
	opt.Policies = map[string]jobs.Policy{"x": {Timeout: time.Hour}}
	k, ends, _ := startKeeper(t, rdb, opt)
	q := jobs.NodeQueue("a")
	startWorker(t, rdb, q, map[string]jobs.Handler{"x": untilCancelled})
	s := spec("x", q)
	add(t, k, s)
	beats := func() int { return firstBeat(t, k, q) }
	testkit.Eventually(t, "the worker to beat", func() bool { return beats() > 0 })

	// An absence may begin anywhere, between two looks at the clock of one sweep too.
	for looks := range int64(4) {
		for _, by := range []time.Duration{10 * 365 * 24 * time.Hour, -time.Hour} {
			before := beats()
			clock.jump(by, looks)
			testkit.Eventually(t, "the worker to go on beating", func() bool { return beats() > before+1 })
		}
	}
	_ = k.Abort(t.Context(), s.ID, "enough")
	tree := awaitEnd(t, ends)

	if j := tree.Jobs[s.ID]; k.Stats().Lost != 0 || j.Attempt != 1 {
		t.Fatalf("got %d leases lost and %d attempts, want 0 and 1", k.Stats().Lost, j.Attempt)
	}
}

// jumpingClock is a clock that jumps after it was looked at so many times more.
type jumpingClock struct {
	mu    sync.Mutex // guards all below
	ahead time.Duration
	by    time.Duration
	looks int64
}

func (c *jumpingClock) jump(by time.Duration, looks int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.by, c.looks = by, looks
}

func (c *jumpingClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.looks--; c.looks < 0 {
		c.ahead, c.by = c.ahead+c.by, 0
	}
	return time.Now().Add(c.ahead)
}

// stride is most of a lease's time, which a keeper takes for no absence of its own.
const stride = testkit.Hang * 2 / 3

// lapse has more than a lease's time pass for a keeper that hears of nobody.
func lapse(tb testing.TB, k *Keeper, clock *jumpingClock) {
	tb.Helper()
	for range 3 { // in the first it sees what is with a worker
		clock.jump(stride, 0)
		sweeps(tb, k)
	}
}

// overrun has more than a lease's time pass while the queue's one worker beats.
func overrun(tb testing.TB, k *Keeper, clock *jumpingClock, q jobs.Queue) {
	tb.Helper()
	testkit.Eventually(tb, "the worker to beat", func() bool { return firstBeat(tb, k, q) > 0 })
	clock.jump(stride, 0)
	before := firstBeat(tb, k, q)
	testkit.Eventually(tb, "the worker to go on beating", func() bool { return firstBeat(tb, k, q) > before })
	sweeps(tb, k)
	clock.jump(stride, 0)
}

// firstBeat is the counter of the queue's one lease, 0 without one.
func firstBeat(tb testing.TB, k *Keeper, q jobs.Queue) int {
	tb.Helper()
	for _, text := range k.rdb.HGetAll(tb.Context(), keysOf(q).beat()).Val() {
		n, _ := strconv.Atoi(text)
		return n
	}
	return 0
}

func TestEntryBefore_ComparesNumbers(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"9-0", "10-0", true}, {"10-0", "9-0", false}, {"5-2", "5-10", true}, {"5-1", "5-1", false},
	} {
		if got := entryBefore(c.a, c.b); got != c.want {
			t.Errorf("%s before %s: got %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

// A worker that fell silent and wakes beats once for the lease that it has lost.
func TestKeeper_RemovesALateBeatFromAQueueAtRest(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	opt := keeperOptions(1)
	var clock jumpingClock
	opt.Clock = clock.now
	opt.DefaultPolicy = jobs.Policy{AtMostOnce: true}
	k, ends, _ := startKeeper(t, rdb, opt)
	q := jobs.NodeQueue("a")
	s := spec("x", q)
	add(t, k, s)
	token := takeSilently(t, k, s)
	lapse(t, k, &clock)
	wantState(t, awaitEnd(t, ends), jobs.Failed)
	awaitGone(t, k, s.ID)

	rdb.HIncrBy(t.Context(), keysOf(q).beat(), token, 1)

	testkit.Eventually(t, "the late beat to be removed", func() bool {
		return rdb.Exists(t.Context(), keysOf(q).beat()).Val() == 0
	})
}

// takeSilently takes a job as a worker that dies right after, and gives its lease.
func takeSilently(tb testing.TB, k *Keeper, s jobs.Spec) string {
	tb.Helper()
	keys := keysOf(s.Queue)
	streams := []string{keys.stream(s.Priority), ">"}
	var token string
	testkit.Eventually(tb, "the job to be in its queue", func() bool {
		got, err := k.rdb.XReadGroup(tb.Context(), &redis.XReadGroupArgs{Group: group, Consumer: "dead", Streams: streams, Block: -1}).Result()
		if err != nil || len(got) == 0 || len(got[0].Messages) == 0 {
			return false
		}
		token, _ = got[0].Messages[0].Values["token"].(string)
		return true
	})
	return token
}
