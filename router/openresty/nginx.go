package openresty

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"aorta/internal/listeners"
	"aorta/internal/procs"
)

const (
	// stopTimeout is a little more than worker_shutdown_timeout.
	stopTimeout   = 40 * time.Second
	readyTimeout  = 30 * time.Second
	reloadTimeout = 30 * time.Second
	// stopOrder: nginx ends before the replica that feeds it.
	stopOrder = 10
)

// Nginx is the router's nginx: one master, known by its record in StateDir.
type Nginx struct {
	cfg    Config
	log    *slog.Logger
	client *http.Client
	path   string
	build  build
	conf   rendered
	daemon *procs.Daemon
}

// New checks the configuration and finds nginx with its modules. It starts and
// writes nothing.
func New(cfg Config, log *slog.Logger) (*Nginx, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("configure the router: %w", err)
	}
	path, err := findNginx(cfg.NginxPath)
	if err != nil {
		return nil, err
	}
	b, err := inspect(path)
	if err != nil {
		return nil, err
	}
	conf, err := cfg.render(b, cfg.openLogPath())
	if err != nil {
		return nil, err
	}
	n := &Nginx{cfg: cfg, log: log, client: statusClient(cfg.RunDir), path: path, build: b, conf: conf}
	n.daemon = procs.New(n.spec(), log)
	return n, nil
}

func (n *Nginx) spec() procs.Spec {
	return procs.Spec{
		Name: "nginx", Path: n.path, Args: n.args(),
		Dir: n.cfg.nginxDir(), StateDir: n.cfg.StateDir, OpenDirs: []string{filepath.Dir(n.cfg.LogPath)}, SocketsEnv: "NGINX",
		LogPath:    filepath.Join(n.cfg.DataDir, "nginx.log"),
		StopSignal: syscall.SIGQUIT, StopTimeout: stopTimeout, StopOrder: stopOrder,
		Prepare: n.prepareStart, Ready: n.ready, ReadyTimeout: readyTimeout,
		SessionNice: sessionNice(), DieWithParent: n.cfg.DieWithParent,
	}
}

// sessionNice has the workers go before other sessions, as their priority has them go
// before what shares theirs; it takes root as well.
func sessionNice() int {
	if workerUser() == "" {
		return 0
	}
	return WorkerPriority
}

func (n *Nginx) args() []string {
	return []string{"-p", n.cfg.nginxDir(), "-c", filepath.Join(n.cfg.nginxDir(), confFile), "-e", "stderr"}
}

// Open writes and checks the configuration, then adopts the nginx that runs or
// starts one. An adopted one with another configuration or Lua is reloaded, or
// started anew where a reload can't bring it to its addresses.
func (n *Nginx) Open(ctx context.Context) error {
	elsewhere := n.socketsElsewhere()
	if err := n.prepare(ctx); err != nil {
		return err
	}
	if elsewhere {
		return n.restart(ctx)
	}
	if err := n.daemon.Open(ctx); err != nil {
		return fmt.Errorf("start nginx: %w", err)
	}
	if !n.daemon.Adopted() {
		return nil
	}
	if err := n.keepLogPath(ctx); err != nil {
		return err
	}
	s, err := n.Status(ctx)
	if err != nil {
		return err
	}
	if n.runs(s) {
		return nil
	}
	for _, addr := range append(slices.Clone(n.cfg.Listen), n.cfg.StatusListen) {
		if overlaps, err := listeners.Overlaps(addr); addr != "" && err == nil && overlaps {
			return n.restart(ctx) // the workers of before have it until they end
		}
	}
	return n.hup(ctx)
}

// socketsElsewhere says whether the configuration that was written last, if one
// was, has its sockets in another directory: there the nginx that runs answers.
func (n *Nginx) socketsElsewhere() bool {
	text, err := os.ReadFile(filepath.Join(n.cfg.nginxDir(), confFile))
	return err == nil && !strings.Contains(string(text), "listen unix:"+n.cfg.RunDir+"/status.sock;")
}

func (n *Nginx) restart(ctx context.Context) error {
	n.log.Info("nginx is started anew to listen elsewhere")
	if err := n.daemon.Restart(ctx); err != nil {
		return fmt.Errorf("start nginx anew: %w", err)
	}
	return nil
}

// keepLogPath lets an adopted nginx of an older aortad, which has no directory
// open for its log, go on with the path that it has.
func (n *Nginx) keepLogPath(ctx context.Context) error {
	open, openErr := os.Stat(fmt.Sprintf("/proc/%d/fd/%d", n.Pid(), procs.FirstOpenDir))
	dir, err := os.Stat(filepath.Dir(n.cfg.LogPath))
	if err != nil {
		return fmt.Errorf("find the access log's directory: %w", err)
	}
	if openErr == nil && os.SameFile(open, dir) {
		return nil
	}
	conf, err := n.cfg.render(n.build, n.cfg.LogPath)
	if err != nil {
		return err
	}
	n.conf = conf
	return n.prepare(ctx)
}

// prepare puts everything on disk and lets nginx check it.
func (n *Nginx) prepare(ctx context.Context) error {
	if err := n.writeFiles(); err != nil {
		return err
	}
	return n.check(ctx)
}

func (n *Nginx) prepareStart() error {
	n.removeDeadSockets()
	if n.cfg.SaveTable != nil { // what the workers begin with is else as old as the last look at it
		n.cfg.SaveTable()
	}
	return n.writeFiles()
}

// writeFiles makes what a start of nginx needs.
func (n *Nginx) writeFiles() error {
	logDir := filepath.Dir(n.cfg.LogPath)
	for _, dir := range []string{n.cfg.nginxDir(), n.cfg.RunDir, n.cfg.tempDir(), logDir} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("prepare nginx: %w", err)
		}
	}
	// Whoever made it: the workers open the log in it.
	if err := os.Chmod(logDir, 0o755); err != nil {
		return fmt.Errorf("prepare nginx: %w", err)
	}
	return n.conf.write(n.cfg.nginxDir())
}

// check lets nginx read the configuration, with the descriptors that it will
// have when it runs.
func (n *Nginx) check(ctx context.Context) error {
	dir, err := os.Open(filepath.Dir(n.cfg.LogPath))
	if err != nil {
		return fmt.Errorf("check nginx's configuration: %w", err)
	}
	defer dir.Close()
	cmd := exec.CommandContext(ctx, n.path, append(n.args(), "-t", "-q")...)
	for len(cmd.ExtraFiles) <= procs.FirstOpenDir-3 {
		cmd.ExtraFiles = append(cmd.ExtraFiles, dir)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("nginx refuses the configuration in %s: %w: %s",
			filepath.Join(n.cfg.nginxDir(), confFile), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// Run watches nginx and starts it again when it dies, and when its sockets were
// removed. It ends with its context and leaves nginx running.
func (n *Nginx) Run(ctx context.Context) error {
	keeping, stop := context.WithCancel(ctx)
	var keeper sync.WaitGroup
	keeper.Go(func() { n.keepSockets(keeping) })
	defer keeper.Wait()
	defer stop()
	return n.daemon.Run(ctx)
}

// Stop ends nginx: requests in flight finish (for at most half a minute) and
// the access log is written out.
func (n *Nginx) Stop(ctx context.Context) error { return n.daemon.Stop(ctx) }

// Reopen makes nginx open its access log anew, after it was renamed.
func (n *Nginx) Reopen() error {
	if err := n.daemon.Signal(syscall.SIGUSR1); err != nil {
		return fmt.Errorf("make nginx reopen its log: %w", err)
	}
	return nil
}

// Pid is the master's process id.
func (n *Nginx) Pid() int { return n.daemon.Pid() }

// hup reloads and waits until no worker of before takes requests.
func (n *Nginx) hup(ctx context.Context) error {
	before, err := n.Status(ctx)
	if err != nil {
		return fmt.Errorf("reload nginx: %w", err)
	}
	if err := n.daemon.Signal(syscall.SIGHUP); err != nil {
		return fmt.Errorf("reload nginx: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, reloadTimeout)
	defer cancel()
	err = n.waitStatus(ctx, func(s Status) bool { return n.runs(s) && replaced(before, s) })
	if err != nil {
		return fmt.Errorf("reload nginx: its workers did not take the configuration (see %s): %w", n.spec().LogPath, err)
	}
	return nil
}

// runs reports whether every worker that takes requests has our configuration.
func (n *Nginx) runs(s Status) bool {
	serving := 0
	for _, w := range s.Workers {
		if !w.Exiting && w.Digest != n.conf.digest {
			return false
		}
		if !w.Exiting {
			serving++
		}
	}
	return serving > 0
}

// replaced reports whether no worker of before takes requests now.
func replaced(before, now Status) bool {
	for _, w := range now.Workers {
		old := slices.ContainsFunc(before.Workers, func(b WorkerStatus) bool { return b.PID == w.PID })
		if old && !w.Exiting {
			return false
		}
	}
	return true
}

// ready is polled while nginx starts.
func (n *Nginx) ready(ctx context.Context) error {
	_, err := n.Status(ctx)
	if errors.Is(err, syscall.ECONNREFUSED) {
		n.removeDeadSockets()
	}
	return err
}
