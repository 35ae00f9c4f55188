package openresty

import (
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/router"
	"aorta/router/table"
)

// besiege is many clients with so many connections together, each of which is
// opened again when it ends, until stop. None of their requests becomes whole.
func (r *rig) besiege(connections, clients int) (stop func()) {
	r.tb.Helper()
	ctx, cancel := context.WithCancel(r.tb.Context())
	var wait sync.WaitGroup
	for i := range connections {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 2, byte(1+i%clients))}}
		wait.Go(func() {
			for ctx.Err() == nil {
				conn, err := dialer.DialContext(ctx, "tcp", strings.TrimPrefix(r.base, "http://"))
				if err != nil {
					continue
				}
				unhook := context.AfterFunc(ctx, func() { _ = conn.Close() })
				_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\n")
				_, _ = io.Copy(io.Discard, conn)
				unhook()
				_ = conn.Close()
			}
		})
	}
	return func() {
		cancel()
		wait.Wait()
	}
}

// The replica goes while no connection is left, so that the timer that is to go
// on with the feed can't run. Once there are some again, the table is followed.
func TestNginx_FeedOutlivesATimerThatCouldNotRun(t *testing.T) {
	t.Parallel()
	// A trusted proxy's connections are nobody's excess.
	r := newRig(t, narrow, func(c *Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.2.0/24")} })
	r.alerts = []string{"worker_connections are not enough", "could not create fake connection"}
	r.publish(route("a.example.com", newApp(t, nil)))

	stop := r.besiege(610, 100)
	r.redis.Kill()
	testkit.Eventually(t, "the feed's timer to fail", func() bool {
		text, _ := os.ReadFile(filepath.Join(r.cfg.DataDir, "nginx.log"))
		return regexp.MustCompile("failed to run timer .*feed.lua").Match(text)
	})
	stop()
	r.redis.Start(t)

	b := newApp(t, nil)
	r.pair = router.Pair{Epoch: 2, Generation: 1}
	publisher := table.NewPublisher(r.rdb, cluster, "next")
	testkit.Must(t, publisher.Claim(t.Context(), 2))
	testkit.Must(t, publisher.Replace(t.Context(), r.pair, router.Table{"a.example.com": route("a.example.com", b)}))
	r.wait()
	if _, body := r.do("GET", "a.example.com"); body != b.ID {
		t.Errorf("got %s, want the new route", body)
	}
}

// A worker that stands still says so by the time of its last look; killed, it is
// followed by one that has the table.
func TestNginx_StoppedWorkerIsSeenAndReplaced(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a, b := newApp(t, nil), newApp(t, nil)
	r.publish(route("a.example.com", a))
	victim := r.status().Workers[0].PID
	looked := func(pid int) time.Time {
		for _, w := range r.status().Workers {
			if w.PID == pid {
				return w.Looked()
			}
		}
		return time.Time{}
	}

	testkit.Must(t, syscall.Kill(victim, syscall.SIGSTOP))
	before := looked(victim)
	r.change([]router.Record{route("a.example.com", b)}, nil)
	for _, w := range r.status().Workers {
		if w.PID != victim {
			testkit.Eventually(t, "the other worker to look again and again", func() bool { return looked(w.PID).Sub(before) > 3*time.Second })
		}
	}
	after, slowest := looked(victim), r.status().Slowest()
	testkit.Must(t, r.nginx.EndWorker(victim)) // which it does not hear
	testkit.Must(t, r.nginx.KillWorker(victim))
	r.wait()
	_, body := r.do("GET", "a.example.com")

	if !after.Equal(before) || slowest != victim || body != b.ID {
		t.Errorf("got its last look at %s, then %s, process %d as the slowest, and then %s; want no look, %d, and %s", before, after, slowest, body, victim, b.ID)
	}
	if err := r.nginx.KillWorker(1); err == nil {
		t.Error("another process: got it signalled, want a refusal")
	}
}
