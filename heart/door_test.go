package heart_test

import (
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"aorta/internal/testkit"
)

// door is a unix socket before the engine's that a test can cut.
type door struct {
	path, to string
	// mu guards the rest.
	mu    sync.Mutex
	shut  bool
	conns map[net.Conn]bool
}

func newDoor(t *testing.T, host string) *door {
	t.Helper()
	d := &door{path: filepath.Join(testkit.ShortDir(t), "d.sock"), to: strings.TrimPrefix(host, "unix://"), conns: map[net.Conn]bool{}}
	l, err := net.Listen("unix", d.path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close(); d.cut() })
	go func() { // ends when the listener is closed
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			d.admit(c)
		}
	}()
	return d
}

// admit connects a caller to the engine; while the door is shut, callers hang.
func (d *door) admit(in net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.conns[in] = true
	if d.shut {
		return
	}
	out, err := net.Dial("unix", d.to)
	if err != nil {
		_ = in.Close()
		return
	}
	d.conns[out] = true
	// Both end when either side is closed.
	go func() { _, _ = io.Copy(out, in); _ = out.(*net.UnixConn).CloseWrite() }()
	go func() { _, _ = io.Copy(in, out); _ = in.Close() }()
}

func (d *door) cut() { d.turn(true) }

func (d *door) open() { d.turn(false) }

func (d *door) turn(shut bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shut = shut
	for c := range d.conns {
		_ = c.Close()
	}
	clear(d.conns)
}
