package openresty

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"aorta/internal/testkit"
	"aorta/router"
)

// deaf is an instance whose connections are never taken, as of a node that is gone:
// what asks for one is dropped.
func deaf(tb testing.TB) *app {
	tb.Helper()
	socket := func() int {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		testkit.Must(tb, err)
		tb.Cleanup(func() { _ = unix.Close(fd) })
		return fd
	}
	fd := socket()
	testkit.Must(tb, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	testkit.Must(tb, unix.Listen(fd, 0))
	at, err := unix.Getsockname(fd)
	testkit.Must(tb, err)
	for range 4 { // they fill its queue
		_ = unix.Connect(socket(), at)
	}
	a := deadApp(tb)
	a.Addr = fmt.Sprintf("127.0.0.1:%d", at.(*unix.SockaddrInet4).Port)
	return a
}

// Each answer that the router gives in an app's stead names the limit that ran out,
// and no other one.
func TestNginx_AnswersNameTheLimitThatRanOut(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	unread := rawApp(t, func(w *wire) { // reads the head alone
		w.head()
		<-t.Context().Done()
	})
	resting := rawApp(t, func(w *wire) {
		w.head()
		w.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbegun\r\n")
		_, _ = io.Copy(io.Discard, w.in)
	})
	large := strings.Repeat("x", 50_000_000)
	const (
		refused = `gave no valid answer: no instance accepts connections`
		late    = `did not begin to answer within 1s (longer: aorta route set -a shop --timeout TIME)`
		tooBig  = `takes request bodies of at most 10 bytes (more: aorta route set -a shop --max-body SIZE)`
	)
	for name, c := range map[string]struct {
		apps    []*app
		request string
		status  int
		says    string
	}{
		"connecting, refused":             {[]*app{deadApp(t)}, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", 502, refused},
		"connecting, not taken":           {[]*app{deaf(t)}, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", 502, refused},
		"connecting, with a body":         {[]*app{deaf(t)}, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: 2\r\n\r\nok", 502, refused},
		"connecting, each refuses or not": {[]*app{deaf(t), deadApp(t)}, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", 502, refused},
		"sending":                         {[]*app{unread}, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: 50000000\r\n\r\n" + large, 504, late},
		"the first byte":                  {[]*app{silent(t)}, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", 504, late},
		"silence in the answer":           {[]*app{resting}, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", 200, "begun"},
		"the body, as it says":            {[]*app{silent(t)}, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: 11\r\n\r\n", 413, tooBig},
		"the body, in chunks":             {[]*app{silent(t)}, "POST / HTTP/1.1\r\nHost: %s\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n" + large[:0xff] + "\r\n", 413, tooBig},
	} {
		t.Run(name, func(t *testing.T) {
			host := strings.NewReplacer(" ", "-", ",", "").Replace(name) + ".example.com"
			record := route(host, c.apps...)
			record.Timeout, record.IdleTimeout = 1, 3
			if c.status == 413 {
				record.MaxBody = 10
			}
			r.change([]router.Record{record}, nil)
			r.wait()
			client := r.dial()
			go func() { _, _ = fmt.Fprintf(client, c.request, host) }() // ends with the connection

			status, _ := client.head()
			text := client.line()

			if !strings.HasPrefix(status, fmt.Sprintf("HTTP/1.1 %d ", c.status)) || !strings.Contains(strings.ReplaceAll(text, `\"`, `"`), c.says) {
				t.Errorf("got %q %q, want %d and %q", status, text, c.status, c.says)
			}
			if c.status == 200 {
				_, _ = io.Copy(io.Discard, client.in) // until the router ends it
			}
			_ = client.Conn.(*net.TCPConn).SetLinger(0)
			_ = client.Close()
		})
	}
}
