package openresty

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"aorta/internal/testkit"
)

// narrow is a router of one worker with few connections: a fourth of its files is
// not for them.
func narrow(c *Config) { c.WorkerProcesses, c.files = 1, 800 }

// from connects to the router as another client of this machine.
func (r *rig) from(client string) *wire {
	r.tb.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(client)}, Timeout: testkit.Hang}
	conn, err := dialer.DialContext(r.tb.Context(), "tcp", strings.TrimPrefix(r.base, "http://"))
	if err != nil {
		r.tb.Fatalf("dial: %v", err)
	}
	r.tb.Cleanup(func() { _ = conn.Close() })
	return newWire(r.tb, conn)
}

// waitsForever is an instance that answers none of its requests until the test ends.
func waitsForever(tb testing.TB) *app {
	over := make(chan struct{})
	a := newApp(tb, func(http.ResponseWriter, *http.Request) { <-over })
	tb.Cleanup(func() { close(over) }) // before the server's own end, which waits
	return a
}

// limits are the names of who was at its limit, as the workers say.
func (r *rig) limits() (names []string) {
	for _, w := range r.status().Workers {
		for _, l := range w.Limits {
			names = append(names, l.Kind+" "+l.Name)
		}
	}
	return names
}

// crowded waits until connections are scarce.
func (r *rig) crowded() {
	r.tb.Helper()
	testkit.Eventually(r.tb, "connections to be scarce", func() bool {
		s, err := r.nginx.Status(r.tb.Context()) // it may find no connection at first
		return err == nil && s.Workers[0].Free*2 < s.Workers[0].Connections
	})
}

func TestNginx_WorkersCountTheirConnections(t *testing.T) {
	t.Parallel()
	r := newRig(t, narrow)

	w := r.status().Workers[0]

	if w.Connections != 600 || w.Free < 500 || w.Free >= 600 {
		t.Errorf("got %d of %d connections free, want nearly all of 600 (0: this nginx keeps them elsewhere)", w.Free, w.Connections)
	}
}

// Requests that never become whole, of one client, again and again: they end, and
// another client's requests all get their answers.
func TestNginx_OneClientLeavesConnectionsToTheOthers(t *testing.T) {
	t.Parallel()
	r := newRig(t, narrow)
	a := newApp(t, nil)
	r.publish(route("shop.example.com", a))

	for round := range 10 {
		for range 150 {
			r.from("127.0.0.9").send("GET / HTTP/1.1\r\nHost: shop.example.com\r\n")
		}
		for i := range 20 {
			client := r.from("127.0.0.1")
			client.send("GET / HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")
			if first, _ := client.head(); first != "HTTP/1.1 200 OK" {
				t.Fatalf("round %d, request %d of another client: got %q, want 200", round, i, first)
			}
			_ = client.Close()
		}
	}

	if names := r.limits(); !slices.Equal(names, []string{"client 127.0.0.9"}) {
		t.Errorf("at its limit: got %v, want that client alone", names)
	}
}

// Many clients together can take all connections without one having too many:
// those without a request end, and nobody else's request fails.
func TestNginx_ManyClientsLeaveConnectionsToTheOthers(t *testing.T) {
	t.Parallel()
	r := newRig(t, narrow, func(c *Config) { c.files = 1600 })
	r.publish(route("shop.example.com", newApp(t, nil)))
	stop := sync.OnceFunc(r.besiege(1600, 32)) // 50 each, and a sixteenth is 75
	t.Cleanup(stop)
	r.crowded()

	for i := range 200 {
		client := r.from("127.0.0.1")
		client.send("GET / HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")
		if first, _ := client.head(); first != "HTTP/1.1 200 OK" {
			t.Fatalf("request %d of another client: got %q (%v), want 200; nginx says:\n%q", i, first, client.end, r.said("reusing"))
		}
		_ = client.Close()
	}
	stop() // the question for the limits is a connection, too

	for _, name := range r.limits() {
		if !strings.HasPrefix(name, "client 127.0.2.") {
			t.Errorf("at its limit: got %s, want the many clients alone", name)
		}
	}
}

// An app that answers nothing fills up; others have all their answers, and it
// gets 503 with the reason.
func TestNginx_OneAppLeavesConnectionsToTheOthers(t *testing.T) {
	t.Parallel()
	r := newRig(t, narrow)
	slow := route("slow.example.com", waitsForever(t))
	slow.AppName = "slow"
	r.publish(slow, route("shop.example.com", newApp(t, nil)))

	for i := range 250 { // of many clients, none of which has much
		r.from(fmt.Sprintf("127.0.1.%d", 1+i%50)).send("GET / HTTP/1.1\r\nHost: slow.example.com\r\n\r\n")
	}
	r.crowded()
	refused := r.from("127.0.1.1")
	refused.send("GET / HTTP/1.1\r\nHost: slow.example.com\r\n\r\n")
	first, headers := refused.head()
	text := refused.line()
	for i := range 50 {
		if code, _ := r.do("GET", "shop.example.com"); code != http.StatusOK {
			t.Fatalf("request %d to another app: got %d, want 200", i, code)
		}
	}

	if !strings.HasPrefix(first, "HTTP/1.1 503 ") || !slices.Contains(headers, "Retry-After: 1") ||
		!strings.Contains(text, `app \"slow\" has as many requests in flight as the router has room for`) {
		t.Errorf("got %q %q %q, want 503 with the reason", first, headers, text)
	}
	if names := r.limits(); !slices.Equal(names, []string{"app slow"}) {
		t.Errorf("at its limit: got %v, want that app alone", names)
	}
}

// slowApps are two apps that answer nothing: one alone is at its limit before a
// client is.
func (r *rig) slowApps() (hosts []string, hits func() int64) {
	r.tb.Helper()
	one, two := waitsForever(r.tb), waitsForever(r.tb)
	r.publish(route("one.example.com", one), route("two.example.com", two), route("shop.example.com", newApp(r.tb, nil)))
	return []string{"one.example.com", "two.example.com"}, func() int64 { return one.hits.Load() + two.hits.Load() }
}

// One client's slow requests: its next gets 429, whatever app it is for, and
// another client's goes through.
func TestNginx_ClientAtItsLimitGets429(t *testing.T) {
	t.Parallel()
	r := newRig(t, narrow)
	hosts, hits := r.slowApps()

	for i := range 160 { // two connections each
		r.from("127.0.0.9").send("GET / HTTP/1.1\r\nHost: %s\r\n\r\n", hosts[i%2])
	}
	testkit.Eventually(t, "most requests to be in flight", func() bool { return hits() >= 140 }) // the last may be refused
	var first, text string
	testkit.Eventually(t, "the client to be at its limit", func() bool {
		client := r.from("127.0.0.9")
		client.send("GET / HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")
		first, _ = client.head()
		text = client.line()
		return strings.HasPrefix(first, "HTTP/1.1 429 ")
	})
	code, _ := r.do("GET", "shop.example.com")

	if !strings.Contains(text, "this client has as many connections as the router has room for") || code != http.StatusOK {
		t.Errorf("got %q %q, and %d for another client; want the reason, and 200", first, text, code)
	}
}

// Behind a trusted proxy all come from one address, and only what the proxy says
// tells them apart. An IPv6 network of 64 bits is one client.
func TestNginx_LimitCountsTheClientBehindAProxy(t *testing.T) {
	t.Parallel()
	r := newRig(t, narrow, func(c *Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/24")} })
	hosts, hits := r.slowApps()
	ask := func(host, client string) *wire {
		w := r.from("127.0.0.9")
		w.send("GET / HTTP/1.1\r\nHost: %s\r\nX-Forwarded-For: 203.0.113.1, %s, 127.0.0.7\r\n\r\n", host, client)
		return w
	}

	for i := range 160 {
		ask(hosts[i%2], fmt.Sprintf("2001:db8:1:2::%x", i+1))
	}
	testkit.Eventually(t, "most requests to be in flight", func() bool { return hits() >= 140 }) // the last may be refused
	idle := r.from("127.0.0.9")
	greedy := ""
	testkit.Eventually(t, "the client to be at its limit", func() bool {
		greedy, _ = ask("shop.example.com", "2001:db8:1:2:ffff::1").head()
		return strings.HasPrefix(greedy, "HTTP/1.1 429 ")
	})
	other, _ := ask("shop.example.com", "2001:db8:1:3::1").head()
	idle.send("GET / HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")
	proxy, _ := idle.head()

	if other != "HTTP/1.1 200 OK" || proxy != "HTTP/1.1 200 OK" {
		t.Errorf("another client of the proxy, and the proxy itself: got %q and %q, want 200", other, proxy)
	}
	if names := r.limits(); !slices.Equal(names, []string{"client 2001:db8:1:2::/64"}) {
		t.Errorf("at its limit: got %v, want the client's network alone", names)
	}
}
