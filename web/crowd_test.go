package web

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"aorta/internal/testkit"
)

// pipeFrom is a connection that says where it comes from and whether it was closed.
type pipeFrom struct {
	net.Conn
	from   string
	closed bool
}

func (p *pipeFrom) RemoteAddr() net.Addr {
	a, _ := net.ResolveTCPAddr("tcp", p.from)
	return a
}

func (p *pipeFrom) Close() error { p.closed = true; return nil }

func TestCrowd_WhoWaitsLongestMakesRoom(t *testing.T) {
	c := newCrowd(8)
	many := make([]*pipeFrom, 6)
	for i := range many {
		many[i] = &pipeFrom{from: fmt.Sprintf("[2001:db8::%d]:1000", i+1)}
		c.changed(many[i], http.StateNew)
	}
	if !many[0].closed || !many[1].closed || many[2].closed {
		t.Errorf("one network had 6 of 8 connections, want its two longest waiting closed")
	}

	busy := &pipeFrom{from: "10.0.0.1:1"}
	c.changed(busy, http.StateNew)
	c.changed(busy, http.StateActive)
	for i := range 4 {
		c.changed(&pipeFrom{from: fmt.Sprintf("10.0.0.%d:1", i+2)}, http.StateNew)
	}

	if busy.closed || !many[2].closed || many[3].closed {
		t.Errorf("8 are open and another one came: want the longest waiting closed, and none at work")
	}
	c.changed(busy, http.StateClosed)
	if len(c.open) != 7 || c.waiting.Len() != 7 || len(c.hosts) != 5 {
		t.Errorf("%d open, %d waiting, %d hosts; want 7, 7 and 5", len(c.open), c.waiting.Len(), len(c.hosts))
	}
}

func TestCrowd_WhoComesWhileAllAreAtWorkIsClosed(t *testing.T) {
	c := newCrowd(2)
	for i := range 2 {
		at := &pipeFrom{from: fmt.Sprintf("10.0.0.%d:1", i+1)}
		c.changed(at, http.StateNew)
		c.changed(at, http.StateActive)
	}
	late := &pipeFrom{from: "10.0.0.9:1"}

	c.changed(late, http.StateNew)

	if !late.closed || len(c.open) != 2 || len(c.hosts) != 2 {
		t.Errorf("closed %v, %d open of %d hosts; want it closed and forgotten", late.closed, len(c.open), len(c.hosts))
	}
}

// Thousands of connections that say nothing keep nobody out.
func TestServer_AnswersBesideIdleConnections(t *testing.T) {
	s, _, _ := serve(t, Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "here") })})
	for range connectionLimit() + 100 {
		conn, err := net.Dial("tcp", s.Addr())
		testkit.Must(t, err)
		t.Cleanup(func() { _ = conn.Close() })
	}

	if code, text, err := get("http://" + s.Addr() + "/"); code != http.StatusOK || text != "here" {
		t.Errorf("got %d %q, %v", code, text, err)
	}
}
