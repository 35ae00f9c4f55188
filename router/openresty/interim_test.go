package openresty

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"aorta/internal/testkit"
	"aorta/router"
)

const hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload; as=style\r\n\r\n"

// An app's connection and its client's stay open across interim answers, however
// many, and whichever way their bytes come.
func TestNginx_ConnectionsOutliveInterimAnswers(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.WorkerProcesses = 1 })
	pieces := make(chan int, 1)
	var connections atomic.Int64
	a := rawApp(t, func(w *wire) {
		connections.Add(1)
		for {
			if first, _ := w.head(); first == "" {
				return
			}
			text, most := strings.Repeat(hints, 3)+ok("X-Final: yes\r\n"), <-pieces
			for ; text != ""; text = text[min(most, len(text)):] {
				w.send("%s", text[:min(most, len(text))])
			}
		}
	})
	r.publish(route("shop.example.com", a))
	client := r.dial()
	for most := range 400 {
		pieces <- 1 + most
		client.send("GET / HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")

		status, headers := client.head()

		if got := client.body(2); status != "HTTP/1.1 200 OK" || got != 2 || !strings.Contains(strings.Join(headers, "\n"), "X-Final: yes") ||
			strings.Contains(strings.Join(headers, "\n"), "Link") {
			t.Fatalf("in pieces of %d bytes: got %s, %q and %d bytes, want the last answer alone", 1+most, status, headers, got)
		}
	}
	if got := connections.Load(); got != 1 {
		t.Errorf("got %d connections of the router, want 1", got)
	}
}

// What follows interim answers may be as long as any, and is read to its end.
func TestNginx_LongHeadFollowsInterimAnswers(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.WorkerProcesses = 1 })
	cookie := "Set-Cookie: " + strings.Repeat("c", 30_000) + "\r\n"
	body := strings.Repeat("0123456789", 400_000)
	for _, cut := range []int{0, 1, len(hints), len(hints) + 1, len(hints) + 20_000, 31_000, 32_768} {
		text := hints + "HTTP/1.1 103 x\r\n" + cookie + "\r\n" + hints + fmt.Sprintf("HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", cookie, len(body), body)
		r.publish(route("shop.example.com", rawApp(t, func(w *wire) {
			w.head()
			w.send("%s", text[:cut])
			w.send("%s", text[cut:])
			_, _ = io.Copy(io.Discard, w.in)
		})))
		client := r.dial()
		client.send("GET / HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")

		status, headers := client.head()
		got, err := io.ReadAll(io.LimitReader(client.in, int64(len(body))))

		if status != "HTTP/1.1 200 OK" || len(headers) < 3 || err != nil || string(got) != body {
			t.Errorf("cut at %d: got %s with %d headers, %d bytes and %v, want the answer", cut, status, len(headers), len(got), err)
		}
	}
}

// The attempt is not over with an interim answer.
func TestNginx_GetGoesElsewhereAfterInterimAnswer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	gives := rawApp(t, func(w *wire) {
		w.head()
		w.send("%s", hints)
	})
	good := newApp(t, nil)
	r.publish(route("shop.example.com", gives, good))
	for range 4 {
		if code, body := r.do("GET", "shop.example.com"); code != http.StatusOK || body != good.ID {
			t.Errorf("got %d %q, want the answer of the other instance", code, body)
		}
	}
	if gives.hits.Load() == 0 {
		t.Error("the instance that gives up was not asked")
	}
}

// Time runs until the answer itself begins.
func TestNginx_InterimAnswerIsNoBeginning(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := rawApp(t, func(w *wire) {
		w.head()
		w.send("%s", hints)
		_, _ = io.Copy(io.Discard, w.in)
	})
	r.publish(limited(a, func(r *router.Record) { r.Timeout = 1 }))

	code, body := r.do("POST", "shop.example.com")

	if code != http.StatusGatewayTimeout || !strings.Contains(body, "did not begin to answer within 1s") {
		t.Errorf("got %d %q, want 504", code, body)
	}
	r.settles(a)
}

// An app that never comes to its answer costs the router little.
func TestNginx_InterimAnswersWithoutEndAreRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.WorkerProcesses = 1 })
	for what, text := range map[string]string{
		"short": "HTTP/1.1 102 x\r\n\r\n", "usual": hints, "long": "HTTP/1.1 103 x\r\nLink: " + strings.Repeat("l", 30_000) + "\r\n\r\n",
	} {
		a := rawApp(t, func(w *wire) {
			w.head()
			for {
				if _, err := io.WriteString(w.Conn, text); err != nil {
					return
				}
			}
		})
		r.publish(route("shop.example.com", a))

		code, body := r.do("GET", "shop.example.com")

		if code != http.StatusBadGateway || !strings.Contains(body, "shop") {
			t.Errorf("%s: got %d %q, want 502", what, code, body)
		}
		r.settles(a)
	}
}

// A client that goes after an interim answer is gone for the app too.
func TestNginx_ClientGoesAfterInterimAnswer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	hinted, heard := make(chan struct{}), make(chan error, 1)
	a := rawApp(t, func(w *wire) {
		w.head()
		w.send("%s", hints)
		close(hinted)
		_, err := io.Copy(io.Discard, w.in)
		heard <- err
	})
	r.publish(route("shop.example.com", a))
	client := r.dial()
	client.send("GET / HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")
	testkit.Receive(t, "the interim answer", hinted)
	_ = client.Close()

	if err := testkit.Receive(t, "the client's end", heard); err != nil {
		t.Errorf("the app heard %v, want the end", err)
	}
	if line := r.lastLine(1); line.Status != 499 {
		t.Errorf("counted %d, want 499", line.Status)
	}
	r.settles(a)
}
