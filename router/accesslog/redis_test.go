package accesslog

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/internal/testkit"
	"aorta/router/stats"
)

const (
	childEnv  = "ACCESSLOG_TEST_CHILD" // the log to follow
	socketEnv = "ACCESSLOG_TEST_SOCKET"
)

// child is this test binary as a tailer, to be killed.
func child() {
	rdb := redis.NewClient(&redis.Options{
		Network: "unix", Addr: os.Getenv(socketEnv), DisableIdentity: true, MaxRetries: -1,
	})
	_ = NewTailer(Config{
		Path: os.Getenv(childEnv), Router: "x1", Store: stats.NewStore(rdb), CommitEvery: 5 * time.Millisecond,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}).Run(context.Background())
}

// takerOf counts what the tailers of these tests put there.
func takerOf(s *stats.Store) *stats.Taker {
	return stats.NewTaker(s, stats.TakerConfig{Routers: func(context.Context) ([]string, error) { return []string{"x1"}, nil }})
}

// totals are the requests that the statistics have, by app.
func totals(tb testing.TB, s *stats.Store) map[string]uint64 {
	tb.Helper()
	got := map[string]uint64{}
	for n := range 23 {
		app := fmt.Sprintf("app-%d", n)
		c, err := s.Totals(tb.Context(), app)
		if err != nil {
			return nil // the server is away; the caller asks again
		}
		got[app] = c.Requests
	}
	return got
}

// wantTotals are the requests that were written, by app.
func (l *logFile) wantTotals() map[string]uint64 {
	want := map[string]uint64{}
	for n := 1; n <= l.n; n++ {
		want[fmt.Sprintf("app-%d", n%23)]++
	}
	return want
}

func (l *logFile) countedIn(s *stats.Store) {
	l.tb.Helper()
	want, taker := fmt.Sprint(l.wantTotals()), takerOf(s)
	got := ""
	l.tb.Cleanup(func() {
		if l.tb.Failed() {
			l.tb.Logf("by app:\n got %s\nwant %s", got, want)
		}
	})
	testkit.Eventually(l.tb, "Redis to have each line once", func() bool {
		_ = taker.Take(l.tb.Context(), time.Now()) // fails while the server is away
		got = fmt.Sprint(totals(l.tb, s))
		return got == want
	})
}

func TestTailer_CountsEachLineOnceAcrossKills(t *testing.T) {
	t.Parallel()
	l, server := newLogFile(t), testkit.Redis(t)
	store := stats.NewStore(server.Client(t))
	rotations := []func(){
		func() {},
		func() { l.rename(fmt.Sprintf(".%d", l.n)); l.write(30); l.open() },
		func() { l.copyTruncate(fmt.Sprintf(".%d", l.n)) },
	}

	for range 12 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+l.path, socketEnv+"="+server.Socket)
		gone := testkit.StartChild(t, cmd)
		die := time.NewTimer(rand.N(200 * time.Millisecond))
		tick := time.NewTicker(10 * time.Millisecond)
		for alive := true; alive; {
			select {
			case <-tick.C:
				l.write(1 + rand.IntN(200))
			case <-die.C:
				alive = false
			}
		}
		tick.Stop()
		if rand.IntN(2) == 0 {
			rotations[rand.IntN(len(rotations))]()
		}
		_ = cmd.Process.Kill()
		<-gone
		l.write(50)
		rotations[rand.IntN(len(rotations))]()
		l.write(50)
	}
	l.start(store)

	l.countedIn(store)
}

func TestTailer_FillsARedisAgainThatLostItsEnd(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--appendonly", "yes", "--appendfsync", "everysec"},
		{"--appendonly", "yes", "--appendfsync", "always"},
		nil, // it comes back empty
	} {
		l, server := newLogFile(t), testkit.Redis(t, args...)
		store := stats.NewStore(server.Client(t))
		l.start(store)
		l.write(1000)
		l.countedIn(store)

		server.Kill()
		l.write(1000)
		l.rename(".1")
		l.open()
		l.write(1000)
		server.Start(t)

		l.countedIn(store)
	}
}

func TestTailer_KeepsWhatEachLineSays(t *testing.T) {
	t.Parallel()
	l, server := newLogFile(t), testkit.Redis(t)
	store := stats.NewStore(server.Client(t))
	_, err := l.fd.WriteString(whole + "\n")
	testkit.Must(l.tb, err)

	taker := takerOf(store)
	l.start(store).stopWhen(func() bool {
		testkit.Must(t, taker.Take(t.Context(), time.Now()))
		c, err := store.Totals(t.Context(), "a1")
		return err == nil && c.Requests > 0
	})
	c, err := store.Totals(t.Context(), "a1")

	if err != nil || c.Requests != 1 || c.Attempts != 2 || c.Bytes != 1234 || c.Status[2] != 1 {
		t.Errorf("totals: got %+v (%v), want 1 request, 2 attempts, 1234 bytes, one 2xx", c, err)
	}
}
