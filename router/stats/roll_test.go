package stats

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"aorta/internal/testkit"
)

func TestStore_WindowsStayTheSameThroughAllRollUps(t *testing.T) {
	r := newRig(t)
	now := time.Now()
	ages := []time.Duration{0, time.Second, 9 * time.Minute, 12 * time.Minute, time.Hour, 47 * time.Hour, 50 * time.Hour, 30 * 24 * time.Hour}
	for _, age := range ages {
		r.commit(router1, hit(now.Add(-age)), hit(now.Add(-age)))
		r.commit(router2, hit(now.Add(-age)))
	}
	q := Query{App: appA, Release: release1, From: now.Add(-80 * 24 * time.Hour), To: now.Add(time.Second)}
	want := r.window(q)
	if want.Requests != uint64(3*len(ages)) {
		t.Fatalf("before: got %d requests, want %d", want.Requests, 3*len(ages))
	}

	for pass := range 3 {
		r.roll(now)
		if diff := cmp.Diff(want, r.window(q)); diff != "" {
			t.Errorf("pass %d (-want +got):\n%s", pass, diff)
		}
	}

	points, err := r.store.Series(t.Context(), q)
	steps := map[int64]int{}
	for _, p := range points {
		for _, step := range []int64{3600, 60, 1} {
			if p.Time.Unix()%step == 0 {
				steps[step]++
				break
			}
		}
	}
	if err != nil || len(points) != len(ages) || steps[3600] < 2 || steps[60]+steps[3600] < 5 {
		t.Errorf("series: got %d points %v %v, want %d, the old ones in minutes and hours", len(points), steps, err, len(ages))
	}
}

func TestStore_LateLinesJoinWhatIsRolledUp(t *testing.T) {
	r := newRig(t)
	now := time.Now()
	old := now.Add(-50 * time.Hour)
	q := Query{App: appA, From: now.Add(-60 * time.Hour), To: now, Step: time.Hour}
	for want := uint64(1); want <= 3; want++ {
		r.commit(router1, hit(old))
		before := r.window(q)
		r.roll(now)

		after := r.window(q)

		if before.Requests != want || after.Requests != want {
			t.Errorf("got %d and rolled %d, want %d", before.Requests, after.Requests, want)
		}
	}
	if points, err := r.store.Series(t.Context(), q); err != nil || len(points) != 1 {
		t.Errorf("got %v %v, want one hour", points, err)
	}
}

func TestStore_RollTrimsWhatIsTooOld(t *testing.T) {
	r := newRig(t)
	now := time.Now()
	r.commit(router1, hit(now.Add(-101*24*time.Hour)), hit(now.Add(-11*time.Minute)))

	r.roll(now)
	r.roll(now)

	all := Query{App: appA, From: time.Unix(0, 0), To: now}
	if got := r.window(all).Requests; got != 1 {
		t.Errorf("got %d requests, want only the younger", got)
	}
	ofInstance := all
	ofInstance.Instance = inst1
	if got := r.window(ofInstance).Requests; got != 0 {
		t.Errorf("instance: got %d requests after ten minutes, want none", got)
	}
	if total, err := r.store.Totals(t.Context(), appA); err != nil || total.Requests != 2 {
		t.Errorf("total: got %d %v, want 2: it never falls", total.Requests, err)
	}
	if keys := r.rdb.Keys(t.Context(), "*1s:*").Val(); len(keys) != 0 {
		t.Errorf("seconds: got %q, want none left", keys)
	}
}

func TestStore_QueriesAreRightWhileTwoRollersRun(t *testing.T) {
	r := newRig(t)
	now := time.Now()
	q := Query{App: appA, From: now.Add(-60 * time.Hour), To: now}
	ctx, stop := context.WithCancel(t.Context())
	var rollers sync.WaitGroup
	for range 2 {
		rollers.Go(func() { // ends with ctx
			for ctx.Err() == nil {
				if err := r.store.rollAll(ctx, now); err != nil && ctx.Err() == nil {
					t.Errorf("roll: got %v, want none", err)
				}
			}
		})
	}

	for want := uint64(1); want <= 150; want++ {
		r.commit(router1, hit(now.Add(-time.Duration(want%5+1)*11*time.Hour)))
		if got := r.window(q).Requests; got != want {
			t.Errorf("got %d requests, want %d", got, want)
			break
		}
	}
	stop()
	rollers.Wait()
}

// passes sees each pass begin.
type passes struct {
	rolled func() bool
	begun  atomic.Int32
	idle   atomic.Bool // the first one rolled up nothing
}

func (p *passes) DialHook(next redis.DialHook) redis.DialHook { return next }

func (p *passes) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (p *passes) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if args := cmd.Args(); len(args) > 1 && args[1] == appsKey(0) && p.begun.Add(1) == 2 {
			p.idle.Store(!p.rolled())
		}
		return next(ctx, cmd)
	}
}

func TestStore_RollEndsWithItsContext(t *testing.T) {
	r := newRig(t)
	r.commit(router1, hit(time.Now().Add(-time.Hour)))
	passes := &passes{rolled: func() bool { return len(r.rdb.Keys(t.Context(), "*1m:*").Val()) > 0 }}
	r.rdb.AddHook(passes)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.store.Roll(ctx) }() // ends with ctx
	testkit.Eventually(t, "an hour-old second to be rolled up", passes.rolled)

	stop()

	if err := <-done; err != nil {
		t.Errorf("got %v, want none", err)
	}
	if passes.idle.Load() {
		t.Error("the first pass rolled up nothing, want it to be a full one")
	}
}

func TestQuery_RefusesWhatIsNotCounted(t *testing.T) {
	r := newRig(t)
	for _, q := range []Query{{App: appA, Release: release1, Node: node1}, {Release: release1}, {Instance: inst1}, {Type: "web"}} {
		if _, err := r.store.Window(t.Context(), q); err != ErrQuery {
			t.Errorf("%+v: got %v, want ErrQuery", q, err)
		}
	}
	if got := r.window(Query{App: "unknown", To: time.Now()}); got.Requests != 0 {
		t.Errorf("unknown app: got %+v, want nothing", got)
	}
}

// Whatever is committed, late or not, and whenever it is rolled: windows and
// totals are the sums of the hits.
func TestStore_SumsAreRightUnderAnySchedule(t *testing.T) {
	r := newRig(t)
	base := time.Now()
	rapid.Check(t, func(rt *rapid.T) {
		r.rdb.FlushDB(t.Context())
		r.at = map[string]Position{}
		var times []time.Time
		for range rapid.IntRange(1, 8).Draw(rt, "steps") {
			if rapid.Bool().Draw(rt, "roll") {
				r.roll(base)
				continue
			}
			at := base.Add(-time.Duration(rapid.Int64Range(0, 60*3600).Draw(rt, "age")) * time.Second)
			r.commit(rapid.SampledFrom([]string{router1, router2}).Draw(rt, "router"), hit(at))
			times = append(times, at)
		}
		// On whole hours no step of any level is cut.
		from := base.Add(-time.Duration(rapid.IntRange(0, 70).Draw(rt, "from")) * time.Hour).Truncate(time.Hour)
		to := from.Add(time.Duration(rapid.IntRange(0, 70).Draw(rt, "long")) * time.Hour)
		var want uint64
		for _, at := range times {
			if !at.Before(from) && at.Before(to) {
				want++
			}
		}

		got := r.window(Query{App: appA, From: from, To: to}).Requests
		total, err := r.store.Totals(t.Context(), appA)

		if got != want || err != nil || total.Requests != uint64(len(times)) {
			rt.Fatalf("got %d in the window and %d %v in total, want %d and %d", got, total.Requests, err, want, len(times))
		}
	})
}

func TestScripts_AnswerAsTheirHeadersSay(t *testing.T) {
	r := newRig(t)
	r.commit(router1, hit(time.Now()))
	shard := ShardOf(appA)
	at := slot{0, levels[0].start(time.Now().Unix() - 3600), dimApp}
	due, apps := dueKey(shard, appA), appsKey(shard)
	eval := func(text string, keys []string, args ...any) int {
		n, err := r.rdb.Eval(t.Context(), text, keys, args...).Int()
		if err != nil {
			t.Fatalf("eval: got %v, want none", err)
		}
		return n
	}
	r.rdb.Set(t.Context(), at.key(shard, appA), "new", 0)
	move := []string{at.key(shard, appA), due}

	got := []int{
		eval(moveText, move, "old", at.member(), "", 0),
		eval(moveText, move, "new", at.member(), "packed", 1),
		eval(moveText, move, "packed", at.member(), "", 0),
		eval(nextText, []string{due, apps}, appA),
		eval(forgetText, []string{due, apps, totalKey(shard, appA)}, appA, prefix(shard)),
		eval(nextText, []string{due, apps}, appA),
	}

	// Forgotten: 6 leaves, the release's total, the app's, and the due set.
	if diff := cmp.Diff([]int{0, 1, 1, 1, 9, 0}, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}

func TestStore_RollGoesOnPastABrokenValue(t *testing.T) {
	r := newRig(t)
	now := time.Now()
	old := now.Add(-time.Hour)
	r.commit(router1, hit(old))
	broken := slot{0, levels[0].start(old.Unix()), dimApp}
	r.rdb.Append(t.Context(), broken.key(ShardOf(appA), appA), "\xff")

	err := r.store.rollAll(t.Context(), now)

	if !errors.Is(err, errPacked) {
		t.Errorf("got %v, want it to name the broken value", err)
	}
	if keys := r.rdb.Keys(t.Context(), "*:1s:*").Val(); len(keys) != 1 {
		t.Errorf("seconds: got %q, want only the broken one left", keys)
	}
	q := Query{App: appA, Release: release1, From: now.Add(-2 * time.Hour), To: now}
	if got := r.window(q).Requests; got != 1 {
		t.Errorf("release: got %d requests, want 1", got)
	}
}
