package main_test

import (
	"bytes"
	"io"
	"net"
	"testing"
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
