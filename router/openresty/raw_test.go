package openresty

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"aorta/internal/testkit"
	"aorta/router"
)

// wire is one end of a connection, read and written by hand.
type wire struct {
	net.Conn
	tb  testing.TB
	in  *bufio.Reader
	end error // why the last line ended early, nil when it was whole
}

func newWire(tb testing.TB, conn net.Conn) *wire {
	_ = conn.SetDeadline(time.Now().Add(testkit.Hang))
	return &wire{Conn: conn, tb: tb, in: bufio.NewReader(conn)}
}

// send writes the text; what the other end does of it shows in its answer.
func (w *wire) send(format string, args ...any) {
	_, _ = fmt.Fprintf(w.Conn, format, args...)
}

// line is the next line without its end, "" at the end of the stream.
func (w *wire) line() string {
	var text string
	text, w.end = w.in.ReadString('\n')
	return strings.TrimRight(text, "\r\n")
}

// head reads up to the empty line: the first line, and the others as they came.
func (w *wire) head() (first string, headers []string) {
	first = w.line()
	for {
		line := w.line()
		if line == "" {
			return first, headers
		}
		headers = append(headers, line)
	}
}

// body reads n bytes and reports how many came.
func (w *wire) body(n int64) int64 {
	read, _ := io.CopyN(io.Discard, w.in, n)
	return read
}

// chunk reads one chunk of a body, "" for the last one.
func (w *wire) chunk() string {
	var size int
	if _, err := fmt.Sscanf(w.line(), "%x", &size); err != nil {
		return "no chunk: " + err.Error()
	}
	text := make([]byte, size)
	_, _ = io.ReadFull(w.in, text)
	w.line()
	return string(text)
}

// dial is a client's connection to the router.
func (r *rig) dial() *wire {
	r.tb.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.base, "http://"))
	if err != nil {
		r.tb.Fatalf("dial: %v", err)
	}
	r.tb.Cleanup(func() { _ = conn.Close() })
	return newWire(r.tb, conn)
}

// rawApp is an instance that speaks by hand: serve has each of its connections
// and closes it by returning.
func rawApp(tb testing.TB, serve func(*wire)) *app {
	tb.Helper()
	return acceptingApp(tb, func(conn net.Conn) {
		go func() {
			defer conn.Close()
			serve(newWire(tb, conn))
		}()
	})
}

// acceptingApp is an instance whose connections are handed out one after the
// other, as they were made.
func acceptingApp(tb testing.TB, take func(net.Conn)) *app {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("listen: %v", err)
	}
	a := &app{Instance: router.Instance{
		ID: uuid.NewString(), Type: "web", Node: uuid.NewString(), NodeName: "one", Addr: listener.Addr().String(),
	}}
	tb.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			a.hits.Add(1)
			take(conn)
		}
	}()
	return a
}
