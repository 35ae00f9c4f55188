package main_test

import (
	"bytes"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"aorta/internal/testkit"
)

// relay passes connections on to addr, and in its answers replaces one text by
// another of the same length. It ends with the test.
func relay(tb testing.TB, addr, from, to string) string {
	tb.Helper()
	if len(from) != len(to) {
		tb.Fatalf("%q and %q are of different lengths", from, to)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = l.Close() })
	go func() { // ends with the listener
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			go relayOne(in, addr, []byte(from), []byte(to))
		}
	}()
	return l.Addr().String()
}

// relayOne ends when either side does.
func relayOne(in net.Conn, addr string, from, to []byte) {
	defer func() { _ = in.Close() }()
	out, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer func() { _ = out.Close() }()
	go func() {
		_, _ = io.Copy(out, in)
		_ = out.Close()
	}()
	buf := make([]byte, 64<<10)
	for {
		n, err := out.Read(buf)
		if _, werr := in.Write(bytes.ReplaceAll(buf[:n], from, to)); err != nil || werr != nil {
			return
		}
	}
}

// deaf passes connections on to a server of TLS. What the first one is told once the
// client has spoken over TLS never comes: it is cut when that is longer than all that a
// server says of itself, and so has the answer in it. It ends with the test.
func deaf(tb testing.TB, addr string) (at string, cut *atomic.Bool) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	testkit.Must(tb, err)
	tb.Cleanup(func() { _ = l.Close() })
	cut = new(atomic.Bool)
	go func() { // ends with the listener
		for first := true; ; first = false {
			in, err := l.Accept()
			if err != nil {
				return
			}
			go deafOne(in, addr, first, cut)
		}
	}()
	return l.Addr().String(), cut
}

// deafOne ends when either side does, or it is cut.
func deafOne(in net.Conn, addr string, first bool, cut *atomic.Bool) {
	defer func() { _ = in.Close() }()
	out, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer func() { _ = out.Close() }()
	var spoken atomic.Int32
	go func() { // ends with in
		defer func() { _ = out.Close() }()
		for buf := make([]byte, 64<<10); ; {
			n, err := in.Read(buf)
			spoken.Add(1)
			if _, werr := out.Write(buf[:n]); err != nil || werr != nil {
				return
			}
		}
	}()
	const greeting, answer = 1, 1000 // pieces from the client until it speaks over TLS; bytes
	kept := 0
	for buf := make([]byte, 64<<10); ; {
		n, err := out.Read(buf)
		if first && spoken.Load() > greeting {
			if kept += n; kept > answer {
				cut.Store(true)
				return
			}
		} else if _, werr := in.Write(buf[:n]); werr != nil {
			return
		}
		if err != nil {
			return
		}
	}
}

// countingSocket is a unix socket that passes connections on to another one.
type countingSocket struct {
	path string
	used atomic.Int64
}

// relaySocket makes one before a Docker engine's. It ends with the test.
func relaySocket(tb testing.TB, host string) *countingSocket {
	tb.Helper()
	to := strings.TrimPrefix(host, "unix://")
	s := &countingSocket{path: filepath.Join(testkit.ShortDir(tb), "engine.sock")}
	l, err := net.Listen("unix", s.path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = l.Close() })
	go func() { // ends with the listener
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			s.used.Add(1)
			go join(in, to)
		}
	}()
	return s
}

// join ends when either side does.
func join(in net.Conn, to string) {
	defer func() { _ = in.Close() }()
	out, err := net.Dial("unix", to)
	if err != nil {
		return
	}
	defer func() { _ = out.Close() }()
	go func() {
		_, _ = io.Copy(out, in)
		_ = out.Close()
	}()
	_, _ = io.Copy(in, out)
}
