package testkit

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/redis/go-redis/v9"
)

// RedisServer is a real redis-server on a unix socket in a directory of its
// own. It keeps nothing on disk unless the extra arguments say so.
type RedisServer struct {
	Socket string // path of the unix socket
	Dir    string // working directory, where dumps and the AOF go

	args []string
	env  []string // beside the test's own
	cmd  *exec.Cmd
	gone <-chan struct{}
}

// Redis starts a redis-server and waits until it answers. Extra arguments are
// appended to its command line, for example "--appendonly", "yes".
func Redis(tb testing.TB, extra ...string) *RedisServer {
	tb.Helper()
	dir := ShortDir(tb)
	s := &RedisServer{Socket: filepath.Join(dir, "r.sock"), Dir: dir, args: extra}
	s.Start(tb)
	return s
}

// Start starts the server again in the same directory, after Kill.
func (s *RedisServer) Start(tb testing.TB) {
	tb.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		tb.Fatalf("this test needs redis-server on the path: %v", err)
	}
	args := append([]string{
		"--port", "0", "--unixsocket", s.Socket, "--unixsocketperm", "777",
		"--dir", s.Dir, "--save", "", "--daemonize", "no",
	}, s.args...)
	s.cmd = exec.Command(path, args...)
	s.cmd.Env = append(os.Environ(), s.env...)
	said := &bytes.Buffer{} // read once the server is gone
	s.cmd.Stdout, s.cmd.Stderr = said, said
	s.gone = StartChild(tb, s.cmd)
	c := s.Client(tb)
	Eventually(tb, "redis-server to answer on "+s.Socket, func() bool {
		select {
		case <-s.gone:
			tb.Fatalf("redis-server ended instead of answering: %s", said)
		default:
		}
		return c.Ping(context.Background()).Err() == nil
	})
}

// Kill ends the server as `kill -9` does and waits until it is gone.
func (s *RedisServer) Kill() {
	_ = s.cmd.Process.Kill()
	<-s.gone
}

// Pid is the process id of the running server.
func (s *RedisServer) Pid() int { return s.cmd.Process.Pid }

// Client connects to the server; it is closed at the end of the test.
func (s *RedisServer) Client(tb testing.TB) *redis.Client {
	tb.Helper()
	c := redis.NewClient(Patient(&redis.Options{
		Network: "unix", Addr: s.Socket,
		DisableIdentity: true, MaxRetries: -1, ContextTimeoutEnabled: true,
	}))
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

// Patient gives a client as long for a question as the slowest machine takes, and
// returns its options.
func Patient(o *redis.Options) *redis.Options {
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = Hang, Hang, Hang
	return o
}
