package openresty

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/router"
	"aorta/router/accesslog"
	"aorta/router/stats"
)

// tally is what is counted of an app.
type tally struct {
	requests, bytes uint64
	status          [6]uint64
}

func (t *tally) add(status, bytes int) {
	class := status / 100
	if status == 101 {
		class = 2
	}
	t.requests++
	t.bytes += uint64(bytes)
	t.status[class]++
}

// ledger is what the clients got, by the app's host.
type ledger map[string]*tally

func (l ledger) add(host string, status, bytes int) {
	if l[host] == nil {
		l[host] = &tally{}
	}
	l[host].add(status, bytes)
}

func (l ledger) requests() (n uint64) {
	for _, t := range l {
		n += t.requests
	}
	return n
}

// counted feeds the access log to the statistics and waits until they have all
// that the clients know of.
func (r *rig) counted(l ledger, records []router.Record) map[string]tally {
	r.tb.Helper()
	store := stats.NewStore(r.rdb)
	tailer := accesslog.NewTailer(accesslog.Config{Path: r.cfg.LogPath, Router: r.cfg.RouterID, Store: store, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(r.tb.Context())
	ended := make(chan error, 1)
	go func() { ended <- tailer.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			r.tb.Errorf("Run: %v", err)
		}
	}()
	apps := map[string]string{"": ""}
	for _, record := range records {
		apps[record.Host] = record.App
	}
	got := map[string]tally{}
	taker := stats.NewTaker(store, stats.TakerConfig{Routers: func(context.Context) ([]string, error) { return []string{r.cfg.RouterID}, nil }})
	testkit.Eventually(r.tb, "all requests to be counted", func() bool {
		testkit.Must(r.tb, taker.Take(ctx, time.Now())) // as a pacemaker does
		n := uint64(0)
		for host, app := range apps {
			c, err := store.Totals(r.tb.Context(), app)
			if err != nil {
				r.tb.Fatalf("Totals: %v", err)
			}
			got[host] = tally{c.Requests, c.Bytes, c.Status}
			n += c.Requests
		}
		return n >= l.requests()
	})
	return got
}

// countedApps are the records of a rig whose requests are counted, and the hosts
// that sessions go to. gone is the app whose client goes.
func countedApps(tb testing.TB) (records []router.Record, hosts []string, gone *app) {
	for _, name := range []string{"one", "two", "three"} {
		hosts = append(hosts, name+".example.com")
		records = append(records, route(name+".example.com", newApp(tb, sessionApp), newApp(tb, sessionApp)))
	}
	stopped := route("stopped.example.com", newApp(tb, nil))
	stopped.Maintenance = true
	small := route("small.example.com", newApp(tb, sessionApp))
	small.MaxBody = 1000
	slow := route("slow.example.com", newApp(tb, waits))
	slow.Timeout = 1
	gone = newApp(tb, waits)
	return append(records, stopped, small, slow, route("gone.example.com", gone), route("switch.example.com", newApp(tb, switches)),
		route("dead.example.com", deadApp(tb)), route("empty.example.com")), hosts, gone
}

// waits answers nothing until its request is given up.
func waits(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() }

// switches echoes three bytes after a switch of protocols.
func switches(w http.ResponseWriter, _ *http.Request) {
	conn, in, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	_, _ = io.CopyN(conn, in, 3)
}

// TestCounts_AreTheClients keeps a client's ledger over sessions: requests of many
// kinds, pipelined or one after the other, each answered rightly and in order,
// with the connection's fate as docs/APPS.md has it. The statistics must say the
// same as the ledger, by app, class and bytes.
func TestCounts_AreTheClients(t *testing.T) {
	t.Parallel()
	seed := cmp.Or(*differenceSeed, rand.Uint64())
	t.Logf("repeat with: -difference.seed=%d", seed)
	rng := rand.New(rand.NewPCG(seed, 2))
	r := newRig(t)
	records, hosts, gone := countedApps(t)
	r.publish(records...)
	l := ledger{}

	n := 0
	for range *differenceCount {
		var asks []ask
		for range 1 + rng.IntN(20) {
			n++
			asks = append(asks, someAsk(rng, n, oneOf(rng, hosts...)))
		}
		r.play(rng, asks, l)
	}
	r.playAlone(l, gone)

	got := r.counted(l, records)
	for host, counted := range got {
		want := l[host]
		if want == nil {
			want = &tally{}
		}
		if counted != *want {
			t.Errorf("%s: counted %+v, the clients got %+v", cmp.Or(host, "no app"), counted, *want)
		}
	}
}

// play sends the asks in bursts and checks what comes of each. What follows one
// that ends its connection is asked again on the next.
func (r *rig) play(rng *rand.Rand, asks []ask, l ledger) {
	r.tb.Helper()
	s := r.session()
	defer func() { _ = s.Close() }()
	for len(asks) > 0 {
		burst := asks[:min(len(asks), 1+rng.IntN(6))]
		if i := slices.IndexFunc(burst, func(a ask) bool { return a.last }); i >= 0 {
			burst = burst[:i+1]
		}
		sent := make(chan struct{})
		go func() { // ends with its connection at the latest
			defer close(sent)
			for _, a := range burst {
				_, _ = io.WriteString(s, a.text)
			}
		}()
		served := r.burst(s, burst, l)
		<-sent
		asks = asks[served:]
		if over := burst[served-1]; over.ends || over.last {
			if over.ends {
				r.ended(s, over)
			}
			_ = s.Close()
			s = r.session()
		}
	}
}

// ended fails when the connection goes on.
func (r *rig) ended(s *session, a ask) {
	r.tb.Helper()
	if n, err := io.Copy(io.Discard, s.in); n > 0 || endOf(err) == endOpen {
		r.tb.Errorf("%s: got %d bytes more and %v, want the end of the connection", a.what, n, err)
	}
}

// burst reads the answers to asks that were sent together, and returns how many
// were served.
func (r *rig) burst(s *session, asks []ask, l ledger) int {
	r.tb.Helper()
	for i, a := range asks {
		status, body, bytes, err := s.answer(a.method)
		if err != nil || status != a.status || a.body != "" && body != a.body || a.body == "" && status >= 400 && a.what != "no body" && !strings.HasPrefix(body, `{"error":`) {
			r.tb.Fatalf("%s %q, %d of %v: got %d %.100q and %v, want %d %.100q", a.what, brief(a.text), i, whats(asks), status, body, err, a.status, a.body)
		}
		l.add(a.app, status, bytes)
		if a.ends {
			return i + 1
		}
	}
	return len(asks)
}

func whats(asks []ask) (names []string) {
	for _, a := range asks {
		names = append(names, a.what)
	}
	return names
}

// playAlone asks for what takes a connection of its own: an app that is too slow,
// a client that goes before its answer, a switch of protocols.
func (r *rig) playAlone(l ledger, gone *app) {
	r.tb.Helper()
	for host, to := range map[string]string{
		"slow.example.com":   "GET / HTTP/1.1\r\nHost: slow.example.com\r\n\r\n",
		"switch.example.com": "GET / HTTP/1.1\r\nHost: switch.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nabc",
	} {
		s := r.session()
		_, _ = io.WriteString(s, to)
		status, _, bytes, err := s.answer("GET")
		if status == 101 {
			_, err = io.Copy(io.Discard, s.in)
			bytes = s.n
		}
		if err != nil {
			r.tb.Errorf("%s: %v", host, err)
		}
		l.add(host, status, bytes)
		_ = s.Close()
	}
	s := r.session()
	_, _ = io.WriteString(s, "GET / HTTP/1.1\r\nHost: gone.example.com\r\n\r\n")
	testkit.Eventually(r.tb, "the app to be asked", func() bool { return gone.hits.Load() == 1 })
	_ = s.Close()
	l.add("gone.example.com", 499, 0)
}
