package redisd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"aorta/internal/procs"
)

const (
	stopTimeout = 20 * time.Second // a dump of everything may be part of it
	// A big dump loads at some 100 MB/s.
	readyTimeout = 2 * time.Minute
	pollTimeout  = 2 * time.Second // one question about readiness
)

// Server is one managed redis-server. Its methods may be called from any
// goroutine.
type Server struct {
	cfg    Config
	conf   atomic.Pointer[rendered] // what the file has; SetUsers puts another one in its place
	log    *slog.Logger
	daemon *procs.Daemon
	client *redis.Client

	changing sync.Mutex        // held while users are changed; guards users
	users    map[string]string // those that the running server has, as in applied

	mu     sync.Mutex        // guards opened
	opened map[string]string // users whose gate was opened, with the run that it was opened for
}

// New checks the configuration and makes a server of it; nothing is started.
func New(cfg Config, log *slog.Logger) (*Server, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if cfg.Path == "" {
		path, err := exec.LookPath("redis-server")
		if err != nil {
			return nil, fmt.Errorf("redis %s: find redis-server: %w (install it, for example: apt-get install redis-server)", cfg.Name, err)
		}
		if cfg.Path, err = filepath.Abs(path); err != nil {
			return nil, fmt.Errorf("redis %s: find redis-server: %w", cfg.Name, err)
		}
	}
	conf, err := cfg.render()
	if err != nil {
		return nil, fmt.Errorf("redis %s: %w", cfg.Name, err)
	}
	s := &Server{cfg: cfg, log: log.With("redis", cfg.Name), opened: map[string]string{}}
	s.conf.Store(&conf)
	s.client = redis.NewClient(s.options())
	s.daemon = procs.New(procs.Spec{
		Name: "redis-" + cfg.Name, Path: cfg.Path, Args: []string{s.confPath()},
		Dir: cfg.DataDir, StateDir: cfg.StateDir, LogPath: s.logPath(),
		StopTimeout: stopTimeout, StopOrder: cfg.StopOrder,
		Prepare: s.prepareDisk, Ready: s.ready, ReadyTimeout: readyTimeout, DieWithParent: cfg.DieWithParent,
	}, log)
	return s, nil
}

// BufferSize is that of each of a connection's two buffers. A daemon has some fifty
// connections: with the library's 32 KiB they are most of what it has in memory.
const BufferSize = 4 << 10

func (s *Server) options() *redis.Options {
	return &redis.Options{
		Network: "unix", Addr: s.cfg.socket(), Username: adminUser, Password: s.cfg.AdminPassword,
		DisableIdentity: true, MaxRetries: -1, ContextTimeoutEnabled: true,
		// Five dials with pauses would delay every check of a starting server.
		DialerRetries:            1,
		ReadBufferSize:           BufferSize,
		WriteBufferSize:          BufferSize,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

// Open writes the configuration, adopts the server or starts it, and returns
// once it has loaded its data and answers. A server adopted with another
// configuration is changed to this one: users and replication as it runs, the
// rest by a restart. A user's log-in that OpenGate switched on stays on when
// nothing about that user changed.
func (s *Server) Open(ctx context.Context) error {
	if err := s.prepareDisk(); err != nil {
		return fmt.Errorf("open redis %s: %w", s.cfg.Name, err)
	}
	old, err := s.readApplied()
	if err == nil && old.Static != "" && old.Static != digest(s.conf.Load().static) {
		// It may listen elsewhere than it is asked whether it is ready.
		s.log.Info("configuration changed; restarting the server")
		err = s.daemon.Restart(ctx)
	} else if err == nil {
		err = s.daemon.Open(ctx)
	}
	if err != nil {
		return fmt.Errorf("open redis %s: %w", s.cfg.Name, err)
	}
	if s.daemon.Adopted() {
		if err := s.update(ctx); err != nil {
			return fmt.Errorf("update redis %s: %w", s.cfg.Name, err)
		}
		if err := s.loadScripts(ctx); err != nil { // after the users, who could load others before
			return fmt.Errorf("update redis %s: %w", s.cfg.Name, err)
		}
	}
	s.changing.Lock()
	s.users = s.conf.Load().applied().Users
	s.changing.Unlock()
	if err := s.writeApplied(); err != nil {
		return fmt.Errorf("open redis %s: %w", s.cfg.Name, err)
	}
	return nil
}

// Run keeps the server up until ctx ends, and leaves it running then. Every
// start is from the configuration file, so users that are off there are off
// again, and users that were added meanwhile are gone. A socket, users and
// scripts of the configuration that somebody removes come back. Who takes more
// connections over TCP than one may, or does not log in, loses them.
func (s *Server) Run(ctx context.Context) error {
	keeping, stop := context.WithCancel(ctx)
	var keeper sync.WaitGroup
	keeper.Go(func() { s.keep(keeping) })
	if len(s.cfg.Addresses) > 0 {
		keeper.Go(func() { s.bound(keeping) })
	}
	defer keeper.Wait()
	defer stop()
	if err := s.daemon.Run(ctx); err != nil {
		return fmt.Errorf("watch redis %s: %w", s.cfg.Name, err)
	}
	return nil
}

// Stop ends the server, which puts its data on disk first, and closes the
// client. It works without Open too.
func (s *Server) Stop(ctx context.Context) error {
	if err := s.daemon.Stop(ctx); err != nil {
		return fmt.Errorf("stop redis %s: %w", s.cfg.Name, err)
	}
	return s.Close()
}

// Close closes the client and leaves the server running.
func (s *Server) Close() error {
	if err := s.client.Close(); err != nil && !errors.Is(err, redis.ErrClosed) {
		return fmt.Errorf("close client of redis %s: %w", s.cfg.Name, err)
	}
	return nil
}

// Socket is the path of the server's unix socket; every user may connect to it.
func (s *Server) Socket() string { return s.cfg.socket() }

// Client is logged in as the administrator, over the socket. It repeats nothing
// by itself. It is closed by Stop and Close.
func (s *Server) Client() *redis.Client { return s.client }

// Pid is the process id of the running server, 0 when there is none.
func (s *Server) Pid() int { return s.daemon.Pid() }

// Restarts counts the starts after the first, or after the adoption.
func (s *Server) Restarts() int { return s.daemon.Restarts() }

// RunID is new with every start of the server: when it changes, users that were
// added at run time have to be added again.
func (s *Server) RunID(ctx context.Context) (string, error) {
	info := s.client.InfoMap(ctx, "server")
	if err := info.Err(); err != nil {
		return "", fmt.Errorf("read run id of redis %s: %w", s.cfg.Name, err)
	}
	return info.Item("Server", "run_id"), nil
}

// ready asks for INFO, which a loading server answers, where PING would fail.
func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	// Dialled by hand first: go-redis writes every failed dial to stderr.
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", s.Socket())
	if err != nil {
		return err
	}
	_ = conn.Close()
	info := s.client.InfoMap(ctx, "server", "persistence")
	err = info.Err()
	if isWrongPassword(err) && s.daemon.Adopted() {
		return nil // it has an older password; Open sees to that
	}
	if err != nil {
		return err
	}
	process := info.Item("Server", "process_id")
	if pid := strconv.Itoa(s.daemon.Pid()); process != pid {
		return fmt.Errorf("%s is answered by process %s, not by %s", s.Socket(), process, pid)
	}
	if info.Item("Persistence", "loading") != "0" {
		return fmt.Errorf("loading its data, %s %% done", info.Item("Persistence", "loading_loaded_perc"))
	}
	if s.daemon.Adopted() {
		return nil // Open sees to its scripts
	}
	return s.loadScripts(ctx)
}

func (s *Server) confPath() string { return filepath.Join(s.cfg.DataDir, "redis.conf") }

func (s *Server) logPath() string { return filepath.Join(s.cfg.DataDir, "redis.log") }
