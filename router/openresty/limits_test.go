package openresty

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/router"
)

// limited is a route with limits of its own.
func limited(a *app, change func(*router.Record)) router.Record {
	record := route("shop.example.com", a)
	change(&record)
	return record
}

// silent is an instance that reads requests' heads and never answers.
func silent(tb testing.TB) *app {
	return rawApp(tb, func(w *wire) {
		w.head()
		_, _ = io.Copy(io.Discard, w.in)
	})
}

// settles waits until no request is in flight on the instance, which leaves the
// table for that.
func (r *rig) settles(a *app) {
	r.tb.Helper()
	r.publish(route("shop.example.com", newApp(r.tb, nil)))
	testkit.Eventually(r.tb, "the requests in flight to be none", func() bool {
		return r.status().InFlight[a.ID] == 0
	})
}

func TestNginx_SilentAppGets504AfterItsTimeout(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := silent(t)
	record := limited(a, func(r *router.Record) { r.Timeout = 1 })
	r.publish(record)

	for i, body := range []string{"", "Content-Length: 4\r\n", "Transfer-Encoding: chunked\r\n"} {
		client := r.dial()
		client.send("POST / HTTP/1.1\r\nHost: shop.example.com\r\n%s\r\n%s", body, []string{"", "body", "4\r\nbody\r\n0\r\n\r\n"}[i])
		status, _ := client.head()
		text := client.line()
		if status != "HTTP/1.1 504 Gateway Time-out" || !strings.Contains(text, `app \"shop\" did not begin to answer within 1s`) {
			t.Errorf("body %q: got %q %q, want 504 with the app and its limit", body, status, text)
		}
	}

	for _, line := range r.logLines(3) {
		if line.Status != 504 || line.App != record.App || line.Instance != a.ID {
			t.Errorf("log: got %+v, want 504 of the app and its instance", line)
		}
	}
	r.settles(a)
}

// The time to answer begins when the request has come: who sends slowly is not
// the app's fault.
func TestNginx_SlowUploadOutlivesTheTimeout(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.publish(limited(newApp(t, counts), func(r *router.Record) { r.Timeout = 1 }))
	client := r.dial()
	client.send("POST / HTTP/1.1\r\nHost: shop.example.com\r\nTransfer-Encoding: chunked\r\n\r\n")
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()

	for range 14 {
		<-tick.C
		client.send("1\r\nx\r\n")
	}
	client.send("0\r\n\r\n")

	if status, _ := client.head(); status != "HTTP/1.1 200 OK" {
		t.Errorf("got %q, want 200", status)
	}
}

// An answer that has begun may rest for longer than the app had to begin it.
func TestNginx_BegunAnswerOutlivesTheTimeout(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	next := make(chan string)
	r.publish(limited(rawApp(t, func(w *wire) {
		w.head()
		w.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
		w.send("%s", <-next)
	}), func(r *router.Record) { r.Timeout = 1 }))
	client := r.dial()
	client.send("GET / HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")
	client.head()
	if got := client.chunk(); got != "data: 1\n\n" {
		t.Fatalf("got %q, want the first event at once", got)
	}

	<-testkit.EndedBy(t, 3*time.Second).Done() // three times the limit that must not apply
	next <- "data: 2\n\n"

	if got := client.chunk(); got != "data: 2\n\n" {
		t.Errorf("got %q, want the second event", got)
	}
}

func TestNginx_SilenceEndsAtTheIdleTimeout(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for name, answer := range map[string]string{
		"websocket": "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello\n",
		"stream":    "HTTP/1.1 200 OK\r\n\r\nhello\n",
	} {
		a := rawApp(t, func(w *wire) {
			w.head()
			w.send("%s", answer)
			_, _ = io.Copy(io.Discard, w.in)
		})
		r.publish(limited(a, func(r *router.Record) { r.IdleTimeout = 1 }))
		client := r.dial()
		client.send("GET / HTTP/1.1\r\nHost: shop.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
		client.head()

		rest, err := io.ReadAll(client.in)
		if err != nil || !strings.Contains(string(rest), "hello") {
			t.Errorf("%s: got %q and %v, want what was sent, then the end", name, rest, err)
		}
		r.settles(a)
	}
}

func TestNginx_BodyAboveTheAppsLimitIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := newApp(t, counts)
	record := limited(a, func(r *router.Record) { r.MaxBody = 1000 })
	r.publish(record)

	for _, test := range []struct {
		name, head string
		body       []string
		want       string
	}{
		{"length at the limit", "Content-Length: 1000", []string{strings.Repeat("x", 1000)}, "HTTP/1.1 200"},
		{"length above it", "Content-Length: 1001", nil, "HTTP/1.1 413"},
		{"chunks at the limit", "Transfer-Encoding: chunked", []string{fmt.Sprintf("3e8\r\n%1000d\r\n", 1), "0\r\n\r\n"}, "HTTP/1.1 200"},
		{"chunks above it", "Transfer-Encoding: chunked", []string{fmt.Sprintf("3e8\r\n%1000d\r\n", 1), fmt.Sprintf("7d0\r\n%2000d\r\n", 1)}, "HTTP/1.1 413"},
	} {
		client := r.dial()
		client.send("POST / HTTP/1.1\r\nHost: shop.example.com\r\n%s\r\n\r\n", test.head)
		for _, part := range test.body {
			client.send("%s", part)
		}
		status, _ := client.head()
		if !strings.HasPrefix(status, test.want) {
			t.Errorf("%s: got %q, want %s", test.name, status, test.want)
		}
		if test.want == "HTTP/1.1 413" {
			if text := client.line(); !strings.Contains(text, `app \"shop\" takes request bodies of at most 1000 bytes`) {
				t.Errorf("%s: got %q, want the app and its limit", test.name, text)
			}
		}
		_ = client.Close() // until then the router waits for the rest
	}

	for _, line := range r.logLines(4) {
		if line.App != record.App {
			t.Errorf("log: got %+v, want the app", line)
		}
	}
	r.settles(a)
}
