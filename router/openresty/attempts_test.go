package openresty

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/router"
)

func TestNginx_PostGoesElsewhereOnRefusedConnection(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	alive, dead := newApp(t, nil), deadApp(t)
	r.publish(route("shop.example.com", alive, dead))

	for range 20 {
		if code, body := r.do("POST", "shop.example.com"); code != 200 || body != alive.ID {
			t.Fatalf("got %d %s, want 200 from the live instance", code, body)
		}
	}
	lines := r.logLines(20)

	tried := 0
	for _, line := range lines {
		tried += len(line.Tried)
		if len(line.Tried) > 0 && (line.Tried[0] != dead.ID || line.Instance != alive.ID || strings.Count(line.UpstreamStatus, ",") != 1) {
			t.Errorf("line of two attempts: got %+v", line)
		}
	}
	if tried == 0 || tried > 4 {
		t.Errorf("failed attempts: got %d, want at least one and few more (the instance is ejected)", tried)
	}
}

func TestNginx_SentPostIsNotRepeated(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	hangUp := func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = conn.Close()
		}
	}
	a, b := newApp(t, hangUp), newApp(t, hangUp)
	r.publish(route("shop.example.com", a, b))

	code, _ := r.do("POST", "shop.example.com")
	posted := a.hits.Load() + b.hits.Load()
	r.do("GET", "shop.example.com")

	if code != http.StatusBadGateway || posted != 1 {
		t.Errorf("POST: got %d after %d attempts, want 502 after 1", code, posted)
	}
	if got := a.hits.Load() + b.hits.Load() - posted; got != 2 {
		t.Errorf("GET: got %d attempts, want 2", got)
	}
}

// A request that ends whoever gets it ends two at most, also on connections that
// were kept from requests before.
func TestNginx_RequestThatKillsIsSentTwiceAtMost(t *testing.T) {
	t.Parallel()
	for _, kept := range []bool{false, true} {
		r := newRig(t, func(c *Config) { c.WorkerProcesses = 1 })
		var killed atomic.Int64
		var apps []*app
		for range 5 {
			apps = append(apps, newApp(t, func(w http.ResponseWriter, req *http.Request) {
				if req.Method != http.MethodDelete {
					return
				}
				killed.Add(1)
				if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
					_ = conn.Close()
				}
			}))
		}
		r.publish(route("shop.example.com", apps...))
		if kept {
			for range apps {
				r.do("GET", "shop.example.com")
			}
		}

		code, body := r.do("DELETE", "shop.example.com")

		if code != http.StatusBadGateway || killed.Load() != 2 || !strings.Contains(body, "closed the connection before it answered") {
			t.Errorf("connections kept %t: got %d %q after %d attempts, want 502 after 2", kept, code, body, killed.Load())
		}
	}
}

func TestNginx_LastInstanceIsNeverEjected(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	only := deadApp(t)
	r.publish(route("shop.example.com", only))

	for range 5 {
		if code, _ := r.do("GET", "shop.example.com"); code != http.StatusBadGateway {
			t.Fatalf("got %d, want 502", code)
		}
	}

	for _, line := range r.logLines(5) {
		if line.Instance != only.ID {
			t.Errorf("instance: got %q, want the only one", line.Instance)
		}
	}
}

func TestNginx_AtMostHalfIsEjected(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.WorkerProcesses = 1 })
	alive := newApp(t, nil)
	r.publish(route("shop.example.com", alive, deadApp(t), deadApp(t), deadApp(t)))

	for range 60 {
		if code, _ := r.do("GET", "shop.example.com"); code != 200 {
			t.Errorf("got %d, want 200: a refused request goes on to the one that lives", code)
		}
	}
	failures := make(map[string]int)
	for _, line := range r.logLines(60) {
		for _, id := range line.Tried {
			failures[id]++
		}
	}

	once := 0
	for _, n := range failures {
		if n == 1 {
			once++
		}
	}
	if once != 2 || len(failures) != 3 {
		t.Errorf("failed attempts by instance: got %v, want two ejected after their first", failures)
	}
}

func TestNginx_OwnErrorsDoNotEject(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.WorkerProcesses = 1 })
	sick := newApp(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	r.publish(route("shop.example.com", sick, newApp(t, nil)))

	bad := 0
	for range 20 {
		if code, _ := r.do("GET", "shop.example.com"); code == http.StatusBadGateway {
			bad++
		}
	}

	if bad != 10 {
		t.Errorf("answers of the app that says 502: got %d of 20, want 10", bad)
	}
}

func TestNginx_RefusingCanaryFallsBackToStable(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	stable, canary := newApp(t, nil), deadApp(t)
	record := route("shop.example.com")
	record.Groups = []router.Group{group(5000, stable), group(5000, canary)}
	r.publish(record)

	for range 20 {
		if code, _ := r.do("GET", "shop.example.com"); code != 200 {
			t.Fatalf("got %d, want 200", code)
		}
	}

	tried := 0
	for _, line := range r.logLines(20) {
		tried += len(line.Tried)
	}
	if tried < 8 {
		t.Errorf("attempts at the canary: got %d of 20, want about half (it is the last of its group)", tried)
	}
}

func TestNginx_TellsWhatIsInFlightOnALeavingInstance(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	release := make(chan struct{})
	started := make(chan struct{}, 2)
	old := newApp(t, func(http.ResponseWriter, *http.Request) {
		started <- struct{}{}
		<-release
	})
	record := route("shop.example.com", old)
	r.publish(record)
	done := make(chan int, 2)
	for range 2 {
		go func() {
			code, _, _ := r.try("GET", "shop.example.com")
			done <- code
		}()
		<-started
	}
	staying := r.status().InFlight

	record.Groups = []router.Group{group(1, newApp(t, nil))}
	r.publish(record)
	leaving := r.status().InFlight[old.ID]
	close(release)
	first, second := <-done, <-done
	testkit.Eventually(t, "the count to go", func() bool { return len(r.status().InFlight) == 0 })

	if len(staying) != 0 || leaving != 2 {
		t.Errorf("in flight: got %v while routed and %d after it left, want none and 2", staying, leaving)
	}
	if first != 200 || second != 200 {
		t.Errorf("answers: got %d and %d, want 200", first, second)
	}
}

// blackHole is an instance whose node drops everything: a socket whose backlog
// is full lets further connections hang.
func blackHole(t *testing.T) *app {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("socket: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatalf("bind: %v", err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatalf("listen: %v", err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatalf("getsockname: %v", err)
	}
	a := deadApp(t)
	a.Addr = fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
	for {
		conn, err := net.DialTimeout("tcp", a.Addr, 100*time.Millisecond)
		if err != nil {
			return a
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
}

func TestNginx_BlackHoledInstanceIsLeftOut(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	hole := blackHole(t)
	r.publish(route("shop.example.com", newApp(t, nil), newApp(t, nil), hole))

	for i := range 40 {
		method := []string{"GET", "POST"}[i%2]
		if code, _ := r.do(method, "shop.example.com"); code != 200 {
			t.Fatalf("%s: got %d, want 200", method, code)
		}
	}
	tried := 0
	for _, line := range r.logLines(40) {
		tried += len(line.Tried)
		if slices.ContainsFunc(line.Tried, func(id string) bool { return id != hole.ID }) {
			t.Errorf("got attempts at %v, want none in vain but at %s", line.Tried, hole.ID)
		}
	}

	if tried == 0 || tried > 4 {
		t.Errorf("got %d attempts at the black hole, want one per worker and few more (it is ejected)", tried)
	}
}
