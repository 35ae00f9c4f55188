package openresty

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/router"
)

func TestNginx_AnswersByWhatIsPublished(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := newApp(t, nil)

	before, _ := r.do("GET", "shop.example.com")
	r.change([]router.Record{route("shop.example.com", a)}, nil)
	testkit.Eventually(t, "the router to answer by the published route", func() bool {
		code, body := r.do("GET", "Shop.Example.com.:80")
		return code == http.StatusOK && body == a.ID
	})

	if before != http.StatusServiceUnavailable {
		t.Errorf("before the first table: got %d, want 503", before)
	}
}

func TestNginx_RemovedRouteIsUnknown(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.publish(route("a.example.com", newApp(t, nil)), route("*.example.com", newApp(t, nil)))

	r.change(nil, []string{"a.example.com", "*.example.com"})
	r.wait()

	if code, _ := r.do("GET", "a.example.com"); code != http.StatusNotFound {
		t.Errorf("removed host: got %d, want 404", code)
	}
	if got := r.status().Workers[0].Records; got != 0 {
		t.Errorf("records: got %d, want 0", got)
	}
}

func TestNginx_NearestWildcardWins(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	far, near, exact := newApp(t, nil), newApp(t, nil), newApp(t, nil)
	r.publish(route("*.example.com", far), route("*.eu.example.com", near), route("x.eu.example.com", exact))

	for host, want := range map[string]string{
		"a.example.com": far.ID, "a.b.example.com": far.ID,
		"a.eu.example.com": near.ID, "a.b.eu.example.com": near.ID, "eu.example.com": far.ID,
		"x.eu.example.com": exact.ID,
	} {
		if code, got := r.do("GET", host); code != 200 || got != want {
			t.Errorf("%s: got %d %s, want %s", host, code, got, want)
		}
	}
	if code, _ := r.do("GET", "example.com"); code != http.StatusNotFound {
		t.Errorf("the wildcard's own base: got %d, want 404", code)
	}
}

// An app without a release, or without instances, answers at its hosts itself: a
// stranger's wildcard over them gets nothing that was meant for it.
func TestNginx_NoWildcardAnswersForWhatDoesNotServe(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	stranger, fresh, empty, stopped := newApp(t, nil), route("fresh.example.org"), route("empty.example.org"), route("stopped.example.org", newApp(t, nil))
	fresh.Groups = []router.Group{}
	stopped.Maintenance = true
	r.publish(route("*.example.org", stranger), fresh, empty, stopped)

	for host, want := range map[string]int{"fresh.example.org": 404, "empty.example.org": 503, "stopped.example.org": 503} {
		if code, body := r.do("GET", host); code != want || strings.Contains(body, stranger.ID) {
			t.Errorf("%s: got %d %s, want %d of the router", host, code, body, want)
		}
	}
	if code, body := r.do("GET", "other.example.org"); code != 200 || body != stranger.ID {
		t.Errorf("a name that nobody has: got %d %s, want the wildcard's app", code, body)
	}
}

func TestNginx_RefusesWhatIsNoHost(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.publish(route("*.example.com", newApp(t, nil)))

	for host, want := range map[string]int{
		"unknown.org": 404, "a\"b.org": 400, "a_b.org": 400, "a.org:80": 404, "a.org:x": 400, "a.org:@b.org": 400, "a.org:123456": 400, "[::1]": 400, "*.org": 400,
		".org": 400, strings.Repeat("a", 254): 400, "a.org": 404,
	} {
		if code, _ := r.do("GET", host); code != want {
			t.Errorf("host %q: got %d, want %d", host, code, want)
		}
	}
}

func TestNginx_AppWithoutInstance(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := newApp(t, nil)
	paused := route("paused.example.com", a)
	paused.Maintenance = true
	unweighted := route("unweighted.example.com", a)
	unweighted.Groups[0].Weight = 0
	r.publish(route("empty.example.com"), paused, unweighted)

	for _, host := range []string{"empty.example.com", "paused.example.com", "unweighted.example.com"} {
		request, _ := http.NewRequestWithContext(t.Context(), "GET", r.base, nil)
		request.Host = host
		answer, err := r.client.Do(request)
		if err != nil {
			t.Fatalf("%s: %v", host, err)
		}
		_ = answer.Body.Close()

		if answer.StatusCode != 503 || answer.Header.Get("Retry-After") == "" {
			t.Errorf("%s: got %d, Retry-After %q, want 503 with one", host, answer.StatusCode, answer.Header.Get("Retry-After"))
		}
	}
	if got := a.hits.Load(); got != 0 {
		t.Errorf("requests at the app: got %d, want 0", got)
	}
}

func TestNginx_SharesByWeight(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.WorkerProcesses = 1 })
	stable, canary, third, fourth := newApp(t, nil), newApp(t, nil), newApp(t, nil), newApp(t, nil)
	record := route("shop.example.com", stable)
	record.Groups = []router.Group{group(7000, stable), group(2000, canary), group(600, third), group(400, fourth)}
	r.publish(record)

	for range 1000 {
		r.do("GET", "shop.example.com")
	}

	low, high := sharesOf([]int{7000, 2000, 600, 400}, 1000)
	for i, app := range []*app{stable, canary, third, fourth} {
		if got := int(app.hits.Load()); got < low[i] || got > high[i] {
			t.Errorf("group %d: got %d of 1000 requests, want %d to %d", i, got, low[i], high[i])
		}
	}
}

// sharesOf is how many of n requests each group may get, at the least and at the
// most, wherever among the points a worker begins.
func sharesOf(weights []int, n int) (low, high []int) {
	const points, step = 65536, 40503
	groups := make([]int, points) // of each request, in turn
	for i := range groups {
		at, bound := (i+1)*step%points, 0
		for _, w := range weights {
			if bound += w; at < bound*points/10000 {
				break
			}
			groups[i]++
		}
	}
	now := make([]int, len(weights))
	for i := range n {
		now[groups[i]]++
	}
	low, high = slices.Clone(now), slices.Clone(now)
	for begin := range points {
		now[groups[begin]]--
		now[groups[(begin+n)%points]]++
		for g := range now {
			low[g], high[g] = min(low[g], now[g]), max(high[g], now[g])
		}
	}
	return low, high
}

func TestNginx_SwitchesToWebsocket(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := newApp(t, func(w http.ResponseWriter, req *http.Request) {
		conn, buffered, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
		line, _ := buffered.ReadString('\n')
		_, _ = io.WriteString(conn, "echo "+line)
	})
	r.publish(route("ws.example.com", a))
	request, _ := http.NewRequestWithContext(t.Context(), "GET", r.base, nil)
	request.Host = "ws.example.com"
	request.Header.Set("Upgrade", "websocket")
	request.Header.Set("Connection", "Upgrade")

	// A client with a time limit gives no stream to write to.
	answer, err := (&http.Client{}).Do(request)
	if err != nil {
		t.Fatalf("GET: %v", err)
	}
	stream, ok := answer.Body.(io.ReadWriteCloser)
	if answer.StatusCode != 101 || !ok {
		t.Fatalf("got %d, want 101 and a stream", answer.StatusCode)
	}
	defer stream.Close()
	_, _ = io.WriteString(stream, "hello\n")
	got, _ := io.ReadAll(stream)

	if string(got) != "echo hello\n" {
		t.Errorf("got %q, want the echo", got)
	}
}
