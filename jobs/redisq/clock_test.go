package redisq

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/testkit"
	"aorta/jobs"
)

// The wall clock of Redis jumps an hour forward and two back, while jobs run,
// wait for a worker, wait for their back-off and wait for their time.
func TestJobs_GoOnWhileTheClockOfRedisJumps(t *testing.T) {
	t.Parallel()
	server := testkit.ClockedRedis(t)
	rdb := connect(t, server.RedisServer)
	k, ends, _ := startKeeper(t, rdb, keeperOptions(1))
	busy, away, late := jobs.NodeQueue("busy"), jobs.NodeQueue("away"), jobs.NodeQueue("late")
	says := make(chan string)
	startWorker(t, rdb, busy, map[string]jobs.Handler{"talk": func(ctx context.Context, r *jobs.Run) (any, error) {
		for line := range says {
			r.Log(line)
		}
		return untilCancelled(ctx, r)
	}})
	handlers := map[string]jobs.Handler{"ok": ok, "second": func(_ context.Context, r *jobs.Run) (any, error) {
		if r.Attempt() == 1 {
			return nil, errors.New("once more")
		}
		return nil, nil
	}}
	startWorker(t, rdb, late, handlers)
	running, waiting, tried := spec("talk", busy), spec("ok", away), spec("second", late)
	delayed := spec("ok", late)
	delayed.NotBefore = time.Now().Add(time.Second)
	for _, s := range []jobs.Spec{running, waiting, tried, delayed} {
		add(t, k, s)
	}

	says <- "now"
	jump(t, server, k, busy, time.Hour)
	says <- "an hour later"
	jump(t, server, k, busy, -time.Hour)
	says <- "two hours before that"
	close(says)
	lines := awaitLines(t, k, running.ID, 3)
	startWorker(t, rdb, away, handlers)
	for range 3 {
		wantState(t, awaitEnd(t, ends), jobs.Succeeded)
	}
	_ = k.Abort(t.Context(), running.ID, "enough")
	aborted := awaitEnd(t, ends)

	wantState(t, aborted, jobs.Aborted)
	if diff := cmp.Diff([]string{"now", "an hour later", "two hours before that"}, lines); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	if j := aborted.Jobs[running.ID]; k.Stats().Lost != 0 || j.Attempt != 1 {
		t.Errorf("got %d leases lost and %d attempts, want 0 and 1", k.Stats().Lost, j.Attempt)
	}
}

// jump sets the clock of Redis, by more than a lease's time, and lets the worker
// beat and the keeper look.
func jump(tb testing.TB, server *testkit.RedisWithClock, k *Keeper, q jobs.Queue, offset time.Duration) {
	tb.Helper()
	server.Set(tb, offset)
	before := firstBeat(tb, k, q)
	testkit.Eventually(tb, "the worker to beat five times after the clock went to "+offset.String(), func() bool {
		return firstBeat(tb, k, q) >= before+5
	})
	sweeps(tb, k)
}

// awaitLines waits for that many lines of a job's log.
func awaitLines(tb testing.TB, k *Keeper, job string, want int) []string {
	tb.Helper()
	var out []string
	testkit.Eventually(tb, fmt.Sprint(want, " lines of log"), func() bool {
		lines, err := k.Log(tb.Context(), job, "")
		out = out[:0]
		for _, l := range lines {
			out = append(out, strings.TrimSpace(l.Text))
		}
		return err == nil && len(out) >= want
	})
	return out
}
