package redisd

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"aorta/internal/testkit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testPassword = "admin \"secret\\ü"

// config is a master on a socket, with everything under root.
func config(root, name string) Config {
	return Config{
		Name: name, DataDir: filepath.Join(root, name), RunDir: filepath.Join(root, "run"),
		StateDir: filepath.Join(root, "state"), AdminPassword: testPassword, DieWithParent: true,
	}
}

// withTCP adds a listener on loopback, for replicas.
func withTCP(t *testing.T, cfg Config) Config {
	t.Helper()
	port, err := FreePort("127.0.0.1")
	if err != nil {
		t.Fatalf("FreePort: %v", err)
	}
	cfg.Addresses = []string{fmt.Sprintf("127.0.0.1:%d", port)}
	return cfg
}

func newServer(t *testing.T, cfg Config) *Server {
	t.Helper()
	s, err := New(cfg, slog.New(slog.NewTextHandler(testWriter{t}, nil)))
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Stop(testkit.BoundedBy(t, context.WithoutCancel(t.Context()))); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	return s
}

func openServer(t *testing.T, cfg Config) *Server {
	t.Helper()
	s := newServer(t, cfg)
	if err := s.Open(t.Context()); err != nil {
		t.Fatalf("Open: got %v, want no error", err)
	}
	return s
}

// runServer opens a server and keeps it up until the test ends.
func runServer(t *testing.T, cfg Config) *Server {
	t.Helper()
	s := openServer(t, cfg)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: got %v, want nil", err)
		}
	})
	return s
}

// killAndAwait kills a server that is run, and waits until it is back.
func killAndAwait(t *testing.T, s *Server) {
	t.Helper()
	before := runID(t, s)
	if err := s.daemon.Signal(syscall.SIGKILL); err != nil {
		t.Fatalf("kill -9: %v", err)
	}
	testkit.Eventually(t, "the server to be back", func() bool {
		if s.ready(t.Context()) != nil {
			return false
		}
		id, err := s.RunID(t.Context())
		return err == nil && id != before
	})
}

func runID(t *testing.T, s *Server) string {
	t.Helper()
	id, err := s.RunID(t.Context())
	if err != nil || len(id) != 40 {
		t.Fatalf("RunID: got %q, %v; want 40 digits", id, err)
	}
	return id
}

func set(t *testing.T, s *Server, key, value string) {
	t.Helper()
	if err := s.Client().Set(t.Context(), key, value, 0).Err(); err != nil {
		t.Fatalf("set %s: %v", key, err)
	}
}

func get(t *testing.T, s *Server, key string) string {
	t.Helper()
	value, err := s.Client().Get(t.Context(), key).Result()
	if err != nil && err != redis.Nil {
		return err.Error()
	}
	return value
}

// as logs in as another user.
func as(t *testing.T, s *Server, user, password string) *redis.Client {
	t.Helper()
	c := redis.NewClient(testkit.Patient(&redis.Options{
		Network: "unix", Addr: s.Socket(), Username: user, Password: password,
		DisableIdentity: true, MaxRetries: -1, ContextTimeoutEnabled: true,
	}))
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func wantContains(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("got error %v, want one with %q", err, part)
		}
	}
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Logf("%s", b)
	return len(b), nil
}
