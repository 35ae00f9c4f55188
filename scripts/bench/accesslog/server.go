package main

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

// server is a redis-server in a directory of its own, with the AOF that a real
// one has.
type server struct {
	socket string
	dir    string
	cmd    *exec.Cmd
}

func startServer(ctx context.Context) (*server, error) {
	dir, err := os.MkdirTemp("/tmp", "bl")
	if err != nil {
		return nil, fmt.Errorf("make a directory: %w", err)
	}
	s := &server{dir: dir, socket: filepath.Join(dir, "r.sock")}
	s.cmd = exec.CommandContext(ctx, "redis-server", "--port", "0", "--unixsocket", s.socket,
		"--dir", dir, "--save", "", "--appendonly", "yes", "--appendfsync", "everysec")
	if err := s.cmd.Start(); err != nil {
		_ = os.RemoveAll(dir)
		return nil, fmt.Errorf("start redis-server: %w", err)
	}
	if err := s.await(ctx); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func (s *server) await(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 1000 {
		if c, err := net.Dial("unix", s.socket); err == nil {
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

func (s *server) stop() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	_ = os.RemoveAll(s.dir)
}
