package testkit

import (
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// EngineProxy is a unix socket in front of the engine's that a test can cut.
type EngineProxy struct {
	Host string // as a client takes it: unix://…
	to   string
	// mu guards the rest.
	mu    sync.Mutex
	down  bool
	conns map[net.Conn]bool
}

// NewEngineProxy begins one before the engine at a unix://… address.
func NewEngineProxy(tb testing.TB, host string) *EngineProxy {
	tb.Helper()
	path := filepath.Join(ShortDir(tb), "d.sock")
	p := &EngineProxy{Host: "unix://" + path, to: strings.TrimPrefix(host, "unix://"), conns: map[net.Conn]bool{}}
	l, err := net.Listen("unix", path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = l.Close(); p.Cut() })
	go func() { // ends when the listener is closed
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.accept(c)
		}
	}()
	return p
}

// accept connects a caller to the engine; while the proxy is cut, callers hang.
func (p *EngineProxy) accept(in net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[in] = true
	if p.down {
		return
	}
	out, err := net.Dial("unix", p.to)
	if err != nil {
		_ = in.Close()
		return
	}
	p.conns[out] = true
	// Both end when either side is closed.
	go func() { _, _ = io.Copy(out, in); _ = out.(*net.UnixConn).CloseWrite() }()
	go func() { _, _ = io.Copy(in, out); _ = in.Close() }()
}

// Cut ends all connections; those who call from now on hang.
func (p *EngineProxy) Cut() { p.setDown(true) }

// Restore lets callers through again.
func (p *EngineProxy) Restore() { p.setDown(false) }

func (p *EngineProxy) setDown(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
	for c := range p.conns {
		_ = c.Close()
	}
	clear(p.conns)
}
