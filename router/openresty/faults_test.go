package openresty

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"aorta/internal/testkit"
	"aorta/router"
	"aorta/router/table"
)

func TestNginx_RespawnedWorkerHasTheTable(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := newApp(t, nil)
	r.publish(route("a.example.com", a), route("*.b.example.com", a))
	before := r.status().Workers
	r.redis.Kill()

	for _, w := range before {
		if err := syscall.Kill(w.PID, syscall.SIGKILL); err != nil {
			t.Fatalf("kill worker %d: %v", w.PID, err)
		}
	}
	testkit.Eventually(t, "new workers", func() bool {
		s, err := r.nginx.Status(t.Context())
		return err == nil && replaced(Status{Workers: before}, s) && len(s.Workers) == 2
	})

	for _, host := range []string{"a.example.com", "x.b.example.com"} {
		if code, body := r.do("GET", host); code != 200 || body != a.ID {
			t.Errorf("%s: got %d %s, want the route", host, code, body)
		}
	}
	if s := r.status(); s.Pair != r.pair {
		t.Errorf("pair: got %s, want %s", s.Pair, r.pair)
	}
}

// What apps do beside the router is not to hold up its workers.
func TestNginx_WorkersGoBeforeApps(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, w := range r.status().Workers {
		nice, err := syscall.Getpriority(syscall.PRIO_PROCESS, w.PID)
		if err != nil || nice != 20+10 { // as the kernel gives it: 20 less the priority
			t.Errorf("worker %d: got %d and %v, want 30", w.PID, nice, err)
		}
		group, err := os.ReadFile(fmt.Sprintf("/proc/%d/autogroup", w.PID))
		if err != nil && !errors.Is(err, fs.ErrNotExist) || err == nil && !strings.HasSuffix(string(group), " nice -10\n") {
			t.Errorf("worker %d: its session is %q, %v, want nice -10, or a kernel that does not share time by session", w.PID, group, err)
		}
	}
}

// getters send GETs in a loop until stopped, and count what failed.
func (r *rig) getters(n int, host string) (stop func() (sent, failed int64)) {
	ctx, cancel := context.WithCancel(r.tb.Context())
	var sent, failed atomic.Int64
	var wait sync.WaitGroup
	for range n {
		wait.Go(func() {
			for ctx.Err() == nil {
				code, _, err := r.try("GET", host)
				sent.Add(1)
				if err != nil || code != http.StatusOK {
					failed.Add(1)
				}
			}
		})
	}
	return func() (int64, int64) {
		cancel()
		wait.Wait()
		return sent.Load(), failed.Load()
	}
}

func TestNginx_ReloadUnderLoadFailsNoGet(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.publish(route("a.example.com", newApp(t, nil)))
	stop := r.getters(4, "a.example.com")

	for range 3 {
		if err := r.nginx.hup(t.Context()); err != nil {
			t.Fatalf("Reload: %v", err)
		}
	}
	sent, failed := stop()

	if failed != 0 || sent == 0 {
		t.Errorf("got %d of %d failed, want 0", failed, sent)
	}
	if lines := r.logLines(int(sent)); len(lines) != int(sent) {
		t.Errorf("got %d lines, want %d", len(lines), sent)
	}
}

func TestNginx_ExitingWorkerTellsWhatIsInFlight(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	release, started := make(chan struct{}), make(chan struct{})
	old := newApp(t, func(http.ResponseWriter, *http.Request) {
		close(started)
		<-release
	})
	r.publish(route("a.example.com", old))
	done := make(chan int)
	go func() {
		code, _, _ := r.try("GET", "a.example.com")
		done <- code
	}()
	<-started

	if err := r.nginx.hup(t.Context()); err != nil {
		t.Fatalf("Reload: %v", err)
	}
	r.publish(route("a.example.com", newApp(t, nil)))
	testkit.Eventually(t, "the exiting worker's count", func() bool {
		return r.status().InFlight[old.ID] == 1
	})
	close(release)

	if code := <-done; code != 200 {
		t.Errorf("answer: got %d, want 200", code)
	}
	testkit.Eventually(t, "the old worker to go", func() bool {
		s := r.status()
		return len(s.Workers) == 2 && len(s.InFlight) == 0
	})
}

func TestNginx_KilledMasterComesBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := newApp(t, nil)
	r.publish(route("a.example.com", a))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.nginx.Run(ctx) }()
	first := r.nginx.Pid()
	r.killed = true

	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatalf("kill the master: %v", err)
	}
	testkit.Eventually(t, "another master that serves", func() bool {
		code, body, err := r.try("GET", "a.example.com")
		return r.nginx.Pid() != first && err == nil && code == 200 && body == a.ID
	})
	testkit.Eventually(t, "answers for unknown hosts", func() bool {
		code, _, err := r.try("GET", "unknown.example.com")
		return err == nil && code == http.StatusNotFound
	})
	cancel()

	if err := <-ended; err != nil {
		t.Errorf("Run: got %v, want nil at the end of its context", err)
	}
}

// The next master goes on with the sockets of the killed one's workers: nobody is
// refused, and what was in flight ends well.
func TestNginx_KilledMasterFailsNoGet(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := newApp(t, nil)
	record := route("a.example.com", a)
	r.publish(record)
	record.Pair = r.pair
	testkit.Must(t, table.SaveTable(filepath.Join(r.cfg.DataDir, "routes.table"), cluster, r.pair, router.Table{"a.example.com": record}))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.nginx.Run(ctx) }()
	first := r.nginx.Pid()
	r.killed = true
	stop := r.getters(4, "a.example.com")

	testkit.Must(t, syscall.Kill(first, syscall.SIGKILL))
	testkit.Eventually(t, "another master that serves", func() bool {
		s, err := r.nginx.Status(t.Context())
		return r.nginx.Pid() != first && r.nginx.Pid() != 0 && err == nil && len(s.Workers) == 2
	})
	sent, failed := stop()
	cancel()
	testkit.Must(t, <-ended)

	if failed != 0 || sent == 0 {
		t.Errorf("got %d of %d failed, want 0", failed, sent)
	}
}

func TestNginx_StartsWithTheKeptTable(t *testing.T) {
	t.Parallel()
	r := prepareRig(t)
	a := newApp(t, nil)
	if err := os.MkdirAll(r.cfg.DataDir, 0o755); err != nil {
		t.Fatalf("make the data directory: %v", err)
	}
	pair := router.Pair{Epoch: 3, Generation: 7}
	record := route("a.example.com", a)
	record.Pair = pair
	err := table.SaveTable(filepath.Join(r.cfg.DataDir, "routes.table"), cluster, pair, router.Table{"a.example.com": record})
	if err != nil {
		t.Fatalf("SaveTable: %v", err)
	}
	r.open()
	r.pair = pair
	r.wait()

	code, body := r.do("GET", "a.example.com")

	if code != 200 || body != a.ID {
		t.Errorf("got %d %s, want the kept route", code, body)
	}
}

func TestNginx_AdoptsAndReloadsWhatChanged(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := newApp(t, nil)
	r.publish(route("a.example.com", a))
	pid, workers := r.nginx.Pid(), r.status().Workers

	same := r.reopened(t)
	kept := r.status().Workers
	r.cfg.LogBuffered = true
	changed := r.reopened(t)
	r.wait() // the last of the new workers may still be on its way
	s := r.status()

	if same != pid || changed != pid {
		t.Errorf("master: got %d and %d, want %d adopted", same, changed, pid)
	}
	if replaced(Status{Workers: workers}, Status{Workers: kept}) {
		t.Errorf("the same configuration was reloaded")
	}
	if !replaced(Status{Workers: workers}, s) || s.Pair != r.pair {
		t.Errorf("got workers %+v, want new ones with routes %s", s.Workers, r.pair)
	}
	if code, body := r.do("GET", "a.example.com"); code != 200 || body != a.ID {
		t.Errorf("got %d %s, want the route", code, body)
	}
}

// reopened opens the rig's nginx as the next process would, and returns the
// master's process id.
func (r *rig) reopened(t *testing.T) int {
	t.Helper()
	next, err := New(r.cfg, r.nginx.log)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	if err := next.Open(t.Context()); err != nil {
		t.Fatalf("Open: %v", err)
	}
	return next.Pid()
}

func TestNginx_HealthTellsTheTable(t *testing.T) {
	t.Parallel()
	var listen string
	r := newRig(t, func(c *Config) { listen = c.Listen[0]; c.StatusListen = "127.0.0.2" + listen[len("127.0.0.1"):] })
	health := func() int {
		answer, err := r.client.Get("http://" + r.cfg.StatusListen + "/healthz")
		if err != nil {
			t.Fatalf("GET /healthz: %v", err)
		}
		_ = answer.Body.Close()
		return answer.StatusCode
	}

	before := health()
	r.publish(route("a.example.com", newApp(t, nil)))
	after := health()

	if before != 503 || after != 200 {
		t.Errorf("got %d before and %d after the first table, want 503 and 200", before, after)
	}
}
