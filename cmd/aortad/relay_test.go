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
