package redisq

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/jobs"
)

func TestKeeper_DelayedJobWaitsForItsTime(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	q := jobs.NodeQueue("a")
	var began atomic.Int64
	startWorker(t, rdb, q, map[string]jobs.Handler{"x": func(context.Context, *jobs.Run) (any, error) {
		began.Store(time.Now().UnixNano())
		return nil, nil
	}})
	_, _, stop := startKeeper(t, rdb, keeperOptions(1))
	_ = stop()
	k, _, stop := startKeeper(t, rdb, keeperOptions(2))
	s := spec("x", q)
	s.NotBefore = time.Now().Add(700 * time.Millisecond)
	add(t, k, s)
	_ = stop()

	// The next keeper reads the delay from Redis.
	_, ends, _ := startKeeper(t, rdb, keeperOptions(3))
	tree := awaitEnd(t, ends)

	wantState(t, tree, jobs.Succeeded)
	if at := time.Unix(0, began.Load()); at.Before(s.NotBefore) {
		t.Errorf("began %s before its time", s.NotBefore.Sub(at))
	}
}

func TestKeeper_DelayedJobCanBeAborted(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	k, ends, _ := startKeeper(t, rdb, keeperOptions(1))
	s := spec("x", jobs.NodeQueue("a"))
	s.NotBefore = time.Now().Add(time.Hour)
	add(t, k, s)

	if err := k.Abort(t.Context(), s.ID, "enough"); err != nil {
		t.Fatalf("Abort: got %v, want nil", err)
	}
	tree := awaitEnd(t, ends)

	wantState(t, tree, jobs.Aborted)
	if k.delayedJobs(t) != 0 {
		t.Errorf("the aborted job is still on the agenda")
	}
}

// delayedJobs asks the loop how many jobs wait for their time.
func (k *Keeper) delayedJobs(t *testing.T) (n int) {
	t.Helper()
	if err := k.ask(t.Context(), func(p *pass) error { n = len(p.delayed.due); return nil }); err != nil {
		t.Fatalf("ask: got %v, want nil", err)
	}
	return n
}

// diary notes the slots that a periodic tree was run for.
type diary struct {
	mu    sync.Mutex
	slots []string
}

func (d *diary) write(_ context.Context, r *jobs.Run) (any, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.slots = append(d.slots, r.ID())
	return nil, nil
}

func (d *diary) read() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.slots)
}

func hourly(kind string, q jobs.Queue) jobs.Periodic {
	return jobs.Periodic{Name: kind, Every: time.Hour, Make: func(slot time.Time) jobs.Spec {
		return jobs.Spec{ID: kind + slot.Format("-2006-01-02-15"), Kind: kind, Queue: q}
	}}
}

// atHalfPast is a clock on which no hour begins by itself during a test.
func atHalfPast() *jumpingClock {
	return &jumpingClock{ahead: time.Until(time.Date(2026, 3, 29, 0, 30, 0, 0, time.UTC))}
}

func TestKeeper_PeriodicTreeRunsOncePerSlot(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	q := jobs.RoleQueue("pacemaker")
	var d diary
	startWorker(t, rdb, q, map[string]jobs.Handler{"tidy": d.write})
	clock := atHalfPast()
	options := func(epoch int64) KeeperOptions {
		opt := keeperOptions(epoch)
		opt.Periodic = []jobs.Periodic{hourly("tidy", q)}
		opt.Clock = clock.now
		return opt
	}
	await := func(want ...string) {
		t.Helper()
		testkit.Eventually(t, "the slots to be run", func() bool { return slices.Equal(d.read(), want) })
	}

	k, _, stop := startKeeper(t, rdb, options(1))
	await("tidy-2026-03-29-00")
	awaitGone(t, k, "tidy-2026-03-29-00")
	_ = stop()
	k, ends, _ := startKeeper(t, rdb, options(2))
	clock.jump(time.Hour, 0)
	await("tidy-2026-03-29-00", "tidy-2026-03-29-01")
	awaitEnd(t, ends)
	awaitGone(t, k, "tidy-2026-03-29-01") // a slot whose forerunner is open is left out
	clock.jump(-2*time.Hour, 0)           // a clock that is set back brings none again
	sweeps(t, k)
	clock.jump(8*time.Hour, 0) // of what was missed, the newest

	await("tidy-2026-03-29-00", "tidy-2026-03-29-01", "tidy-2026-03-29-07")
	awaitEnd(t, ends)
	awaitGone(t, k, "tidy-2026-03-29-07")
}

// sweeps waits until the loop has looked at the time again.
func sweeps(tb testing.TB, k *Keeper) {
	tb.Helper()
	var first time.Time
	testkit.Eventually(tb, "the keeper to sweep", func() bool {
		var last time.Time
		_ = k.ask(tb.Context(), func(p *pass) error { last = p.lastSweep; return nil })
		if first.IsZero() {
			first = last
		}
		return !last.Equal(first)
	})
}

func TestKeeper_PeriodicTreeWaitsForTheOneBefore(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	q := jobs.RoleQueue("pacemaker")
	opt := keeperOptions(1)
	opt.Periodic = []jobs.Periodic{hourly("tidy", q)}
	clock := atHalfPast()
	opt.Clock = clock.now
	k, ends, _ := startKeeper(t, rdb, opt)
	first := opt.Periodic[0].Make(opt.Periodic[0].Slot(opt.Clock())).ID
	open := func() []*jobs.Tree {
		list, _ := k.List(t.Context(), Filter{})
		return list
	}
	testkit.Eventually(t, "the first slot's tree", func() bool { return len(open()) == 1 })

	clock.jump(time.Hour, 0)
	testkit.Eventually(t, "the second slot to be noted", func() bool {
		noted := rdb.HGet(t.Context(), keyPeriodic, "tidy").Val()
		return noted == formatUnix(opt.Periodic[0].Slot(opt.Clock()))
	})
	held := open()
	startWorker(t, rdb, q, map[string]jobs.Handler{"tidy": ok})
	ended := awaitEnd(t, ends)
	clock.jump(time.Hour, 0)
	third := awaitEnd(t, ends)

	if len(held) != 1 || held[0].ID != first || ended.ID != first || third.ID == first {
		t.Errorf("got %d open, then %s and %s ended; want %s alone, then another", len(held), ended.ID, third.ID, first)
	}
}

func TestKeeper_RefusesPeriodicTreesThatCannotRun(t *testing.T) {
	rdb := connect(t, testkit.Redis(t))
	for name, p := range map[string]jobs.Periodic{
		"no name":   {Every: time.Hour, Make: func(time.Time) jobs.Spec { return jobs.Spec{} }},
		"too often": {Name: "x", Every: time.Millisecond, Make: func(time.Time) jobs.Spec { return jobs.Spec{} }},
		"no maker":  {Name: "x", Every: time.Hour},
	} {
		opt := keeperOptions(1)
		opt.Periodic = []jobs.Periodic{p}

		if err := NewKeeper(rdb, opt).Run(t.Context()); err == nil {
			t.Errorf("%s: got nil, want an error", name)
		}
	}
}
