package openresty

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
)

// step is one thing that one side does. All later ones wait for it.
type step func(x *run)

// run is one doing of an exchange.
type run struct {
	client, app *side
	accept      func() net.Conn // nil when the app is not asked
	facts       map[string]string
	routed      bool // it goes through the router
}

// asked waits for the app to be connected to.
func asked(x *run) {
	conn := x.accept()
	if conn == nil {
		x.facts["app asked"] = "no"
		return
	}
	x.facts["app asked"] = "yes"
	x.app = newSide("app", conn, x.facts)
}

func clientSends(text string) step { return func(x *run) { x.client.sends(text) } }

// onApp is a step of an app that was asked.
func onApp(do func(*side)) step {
	return func(x *run) {
		if x.app != nil {
			do(x.app)
		}
	}
}

func appSends(text string) step { return onApp(func(s *side) { s.sends(text) }) }
func appHead(x *run) {
	onApp(func(s *side) { s.head(false) })(x)
}
func appPart(n int) step { return onApp(func(s *side) { s.part(n) }) }
func appRest(x *run)     { onApp((*side).rest)(x) }

func clientHead(x *run) { x.client.head(false) }

// clientFinal reads over the 100 that an Expect header asks for.
func clientFinal(x *run) {
	for x.client.head(false) && strings.HasPrefix(x.facts["client status"], "100 ") {
	}
}

// clientInterims notes the next interim answers, where they come.
func clientInterims(n int) step {
	return func(x *run) {
		for left := n; left > 0 && !x.routed && x.client.interim(); left-- {
		}
	}
}

// clientAnswer notes the interim answers by themselves.
func clientAnswer(x *run) {
	for x.client.interim() {
	}
	x.client.head(false)
}

func clientAnswerOnly(x *run) {
	for x.client.interim() {
	}
	x.client.head(true)
}
func clientHeadOnly(x *run) { x.client.head(true) }
func clientPart(n int) step { return func(x *run) { x.client.part(n) } }
func clientRest(x *run)     { x.client.rest() }

func appEnds(how string) step    { return onApp(func(s *side) { s.end(how) }) }
func clientEnds(how string) step { return func(x *run) { x.client.end(how) } }

var appCloses = appEnds(closes)

func appHears(x *run)    { onApp((*side).hears)(x) }
func clientHears(x *run) { x.client.hears() }

// listenApp is an app whose connections are taken one by one, as they were made.
type listenApp struct {
	*app
	conns chan net.Conn
}

func newListenApp(tb testing.TB) *listenApp {
	tb.Helper()
	a := &listenApp{conns: make(chan net.Conn, 16)}
	a.app = acceptingApp(tb, func(conn net.Conn) { a.conns <- conn })
	return a
}

// next is the app's next connection, nil when the router answers the client by
// itself. An interim answer is none.
func (a *listenApp) next(tb testing.TB, client *side) net.Conn {
	tb.Helper()
	answered := make(chan string)
	go func() {
		first, _ := client.in.Peek(len("HTTP/1.1 100"))
		answered <- string(first)
	}()
	select {
	case conn := <-a.conns:
		_ = client.conn.SetReadDeadline(time.Now()) // ends the peek
		<-answered
		return conn
	case first := <-answered:
		if first == "HTTP/1.1 100" {
			return <-a.conns
		}
		return a.left(tb)
	}
}

// left is the first connection that was made by now and is not taken, nil for none.
// The others are closed. They come before one that is made now.
func (a *listenApp) left(tb testing.TB) (first net.Conn) {
	tb.Helper()
	last, err := net.Dial("tcp", a.Addr)
	if err != nil {
		tb.Fatalf("dial: %v", err)
	}
	defer func() { _ = last.Close() }()
	for {
		conn := <-a.conns
		mine := conn.RemoteAddr().String() == last.LocalAddr().String()
		if first == nil && !mine {
			first = conn
			continue
		}
		_ = conn.Close()
		if mine {
			return first
		}
	}
}

// awaitUnused waits until the router has noticed which of its connections to the app
// are closed: on a busy machine it would send the next request on one of them.
func (a *listenApp) awaitUnused(tb testing.TB) {
	tb.Helper()
	at := netip.MustParseAddrPort(a.Addr)
	const closeWait = "08"
	there := fmt.Appendf(nil, " 0100007F:%04X %s ", at.Port(), closeWait) // at loopback, as the kernel writes it
	testkit.Eventually(tb, "the router to notice closed connections", func() bool {
		text, err := os.ReadFile("/proc/net/tcp")
		testkit.Must(tb, err)
		return !bytes.Contains(text, there)
	})
}
