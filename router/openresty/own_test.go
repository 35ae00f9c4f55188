package openresty

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"aorta/internal/testkit"
)

// The router's own answers say which app, why and what to do, and count for the
// app where the host tells it.
func TestNginx_OwnAnswersSayWhyAndCount(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	served := route("shop.example.com", rawApp(t, func(w *wire) {
		first, _ := w.head()
		switch {
		case strings.Contains(first, "/hangup"):
		case strings.Contains(first, "/interim"):
			w.send("%s", hints)
		case strings.Contains(first, "/header"):
			w.send("HTTP/1.1 200 OK\r\nSet-Cookie: %s\r\n\r\n", strings.Repeat("c", 40_000))
		}
	}))
	refusing, empty := route("refusing.example.com", deadApp(t)), route("empty.example.com")
	stopped := route("stopped.example.com", newApp(t, nil))
	stopped.Maintenance = true
	r.publish(served, refusing, empty, stopped)
	long := strings.Repeat("c", 40_000)

	tests := []struct{ request, host, status, says, app string }{
		{"GET /hangup", "shop.example.com", "502 Bad Gateway", `app \"shop\" gave no valid answer: its instance closed the connection before it answered (see: aorta logs -a shop)`, served.App},
		{"GET /interim", "shop.example.com", "502 Bad Gateway", `sent interim answers (such as 103 Early Hints), and no valid one behind them`, served.App},
		{"GET /header", "shop.example.com", "502 Bad Gateway", `the headers of its answer are more than 32 kB`, served.App},
		{"GET /", "refusing.example.com", "502 Bad Gateway", `no instance accepts connections`, refusing.App},
		{"GET /", "empty.example.com", "503 Service Temporarily Unavailable", `app \"shop\" has no running instance (see: aorta ps -a shop)`, empty.App},
		{"GET /", "stopped.example.com", "503 Service Temporarily Unavailable", `app \"shop\" is stopped (start it: aorta ps start -a shop)`, stopped.App},
		{"GET /", "unknown.example.com", "404 Not Found", `no app here has the host name unknown.example.com (give it to one: aorta domains add -a APP unknown.example.com)`, ""},
		{"GET /", "a_b.example.com", "400 Bad Request", `the Host header is not a host name`, ""},
		{"GET /", "shop.example.com\r\nCookie: " + long, "431 ", `a header of the request is longer than 32 kB`, served.App},
		{"GET /", "shop.example.com\r\nX: 1" + strings.Repeat("\r\nX: 1", 1001), "431 ", "more than 1,000 headers", served.App},
		{"GET /" + long, "shop.example.com", "414 Request-URI Too Large", `address is longer than 32 kB`, ""},
		{"GET /%zz", "shop.example.com", "400 Bad Request", `not valid HTTP/1.1`, ""},
		{"TRACE /", "shop.example.com", "405 Not Allowed", `TRACE and CONNECT are not passed on`, served.App},
		{"GET /", "shop.example.com\r\nX Y: 1", "400 Bad Request", `not valid HTTP/1.1`, served.App},
		{"POST /", "shop.example.com\r\nTransfer-Encoding: gzip", "501 Not Implemented", `chunked alone`, served.App},
	}
	for i, test := range tests {
		client := r.dial()
		client.send("%s HTTP/1.1\r\nHost: %s\r\n\r\n", test.request, test.host)
		status, headers := client.head()
		text := client.line()

		if !strings.HasPrefix(status, "HTTP/1.1 "+test.status) || !strings.Contains(text, test.says) {
			t.Errorf("%d: got %q %q, want %s and %q", i, status, text, test.status, test.says)
		}
		holds(t, "client", headers, "Content-Type: application/json")
		_ = client.Close()
		line := r.logLines(i + 1)[i]
		if got := status[len("HTTP/1.1 "):][:3]; fmt.Sprint(line.Status) != got || line.App != test.app {
			t.Errorf("%d: log has %+v, want status %s of app %q", i, line, got, test.app)
		}
	}
}

// An app's own answer is never replaced by the router's.
func TestNginx_AppsErrorsAreTheirOwn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, status := range []string{"400 Bad Request", "404 Not Found", "413 Too Much", "500 Oops", "502 Own", "503 Own", "504 Own", "599 Own", "999 Own"} {
		_, got := r.exchange("GET / HTTP/1.1\r\nHost: shop.example.com\r\n\r\n", "HTTP/1.1 "+status+"\r\nX-Mine: 1\r\nContent-Length: 0\r\n\r\n")

		holds(t, "client", got, "HTTP/1.1 "+status, "X-Mine: 1")
	}
}

// Whatever becomes of a request, it is in flight until then and no longer.
func TestNginx_NothingStaysInFlight(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	answers := []string{ // those that are whole say that the app closes: a POST on a connection that it is closing could not be repeated
		"HTTP/1.1 200 OK\r\nConnection: close\r\nX-Accel-Redirect: /x\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"HTTP/1.1 000 x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", "no HTTP at all\r\n", "HTTP/1.1 502 Own\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", "",
	}
	turn := make(chan string, 1)
	a := rawApp(t, func(w *wire) {
		w.head()
		w.send("%s", <-turn)
	})
	r.publish(route("shop.example.com", a))

	asked := 0
	for _, answer := range answers {
		for _, aborts := range []bool{false, true} {
			asked++
			client := r.dial()
			client.send("POST / HTTP/1.1\r\nHost: shop.example.com\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
			if aborts {
				testkit.Eventually(t, "the app to be asked", func() bool { return a.hits.Load() >= int64(asked) })
				_ = client.Conn.(*net.TCPConn).SetLinger(0)
				_ = client.Close()
				turn <- answer
				continue
			}
			turn <- answer
			for client.line() != "" {
			}
			_ = client.Close()
		}
	}
	// Over a reload the old worker's are counted down too.
	client := r.dial()
	client.send("GET / HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")
	testkit.Eventually(t, "the app to be asked", func() bool { return a.hits.Load() > int64(asked) })
	if err := r.nginx.hup(t.Context()); err != nil {
		t.Fatalf("Reload: %v", err)
	}
	turn <- plainAnswer
	client.head()

	r.settles(a)
	if got := a.hits.Load(); got != int64(asked)+1 {
		t.Errorf("requests at the app: got %d, want %d: each once", got, asked+1)
	}
}
