// Package redis starts the redis-server that a benchmark measures against. It is
// for benchmarks only; tests have a kit of their own.
package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Server is a redis-server in a directory of its own, with the AOF that a real
// one has.
type Server struct {
	Socket string // path of the unix socket
	Dir    string
	cmd    *exec.Cmd
}

// Start starts the server and waits until it listens.
func Start(ctx context.Context) (*Server, error) {
	dir, err := os.MkdirTemp("/tmp", "ab")
	if err != nil {
		return nil, fmt.Errorf("make a directory: %w", err)
	}
	s := &Server{Dir: dir, Socket: filepath.Join(dir, "r.sock")}
	s.cmd = exec.CommandContext(ctx, "redis-server", "--port", "0", "--unixsocket", s.Socket,
		"--dir", dir, "--save", "", "--appendonly", "yes", "--appendfsync", "everysec")
	if err := s.cmd.Start(); err != nil {
		_ = os.RemoveAll(dir)
		return nil, fmt.Errorf("start redis-server: %w", err)
	}
	if err := s.await(ctx); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

func (s *Server) await(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 1000 {
		if c, err := net.Dial("unix", s.Socket); err == nil {
			return c.Close()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return errors.New("redis-server does not listen after 5 s")
}

// Stop ends the server and removes its directory.
func (s *Server) Stop() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	_ = os.RemoveAll(s.Dir)
}
