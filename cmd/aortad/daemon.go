package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"

	"aorta/internal/claim"
	"aorta/internal/config"
	"aorta/internal/pages"
	"aorta/internal/procs"
	"aorta/internal/profile"
	"aorta/internal/watch"
	"aorta/pacemaker/cluster"
	"aorta/web"
)

// daemon is one run of aortad. Roles open in order, then all their loops run
// in one group: a loop that dies ends the process with its name.
type daemon struct {
	cfg     config.Config
	out     io.Writer
	log     *slog.Logger
	session string // names this run to the cluster
	addrs   *addresses
	secrets secrets
	ready   *web.Readiness
	watch   *watch.Watch
	manager serviceManager
	crash   func(point string) // ends the process at a named point, in tests

	group *errgroup.Group
	ctx   context.Context // ends when a loop dies or the process is asked to stop

	mu      sync.Mutex // guards closers
	closers []func()   // run in reverse once all loops have ended
}

func newDaemon(cfg config.Config, out, errOut io.Writer) *daemon {
	log := newLogger(cfg, errOut)
	return &daemon{
		cfg: cfg, out: out, log: log, session: string(cluster.NewID()),
		ready: web.NewReadiness(cfg.Roles), watch: watch.New(log), manager: findManager(), crash: crashPoint(os.Getenv("AORTAD_CRASH_AT")),
	}
}

func newLogger(cfg config.Config, w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(cfg.LogLevel)) // checked when it was read
	opts := &slog.HandlerOptions{Level: level}
	if cfg.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

// run opens the roles and works until ctx ends or something dies. Managed
// Redis, nginx and the instances go on either way.
func (d *daemon) run(ctx context.Context) error {
	unlock, err := d.prepare()
	if err != nil {
		return refused(err)
	}
	defer unlock()
	d.group, d.ctx = errgroup.WithContext(ctx)
	opened := d.open(d.ctx)
	if opened == nil {
		fmt.Fprintln(d.out, "ready")
		if err := d.manager.ready(); err != nil {
			d.log.Warn("the service manager does not know that the node is ready", "err", err)
		}
	} else {
		d.group.Go(func() error { return opened })
	}
	err = d.group.Wait()
	for i := len(d.closers) - 1; i >= 0; i-- {
		d.closers[i]()
	}
	if ctx.Err() != nil {
		d.log.Info("stopped; managed daemons and instances go on")
		return nil
	}
	if cluster.CodeOf(err) == cluster.CodeRemoved {
		return d.leave(context.WithoutCancel(ctx), err)
	}
	if opened != nil && errors.Is(err, opened) {
		return refused(err)
	}
	return err
}

func (d *daemon) prepare() (unlock func(), err error) {
	for _, dir := range []string{d.cfg.DataDir, d.path("state")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("make the data directory: %w", err)
		}
	}
	// nginx's workers reach their sockets and their log through these.
	if err := os.MkdirAll(d.cfg.RunDir, 0o755); err != nil {
		return nil, fmt.Errorf("make the run directory: %w", err)
	}
	unlocked, err := procs.LockDir(d.path("state"))
	if errors.As(err, new(*procs.LockedError)) {
		return nil, fmt.Errorf("another aortad runs on this data directory: %w", err)
	}
	if err != nil {
		return nil, err
	}
	release, err := claim.Take(d.cfg.DataDir)
	if err != nil {
		unlocked()
		return nil, err
	}
	unlock = func() { release(); unlocked() }
	owns := func(daemon string, pid int) bool { return procs.Owns(d.path("state"), daemon, pid) }
	if d.addrs, err = loadAddresses(d.path(placesFile), d.log, owns); err == nil {
		d.secrets, err = loadSecrets(d.path("secrets.json"))
	}
	if err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

func (d *daemon) open(ctx context.Context) error {
	if err := d.checkNodeAddress(); err != nil {
		return err
	}
	if err := d.checkListeners(); err != nil {
		return err
	}
	d.watchDisk()
	d.loop("profiles", func(ctx context.Context) error {
		return profile.Serve(ctx, filepath.Join(d.cfg.RunDir, "profile.sock"))
	})
	d.loop("pages", func(ctx context.Context) error { return pages.Keep(ctx, d.log) })
	var p *controller
	if d.cfg.Has(cluster.RolePacemaker) {
		var err error
		if p, err = d.openController(ctx); err != nil {
			return fmt.Errorf("pacemaker: %w", err)
		}
		d.isReady(cluster.RolePacemaker, "pacemaker: API on "+p.url)
	} else if err := d.serveHealth(ctx); err != nil {
		return err
	}
	return d.openNode(ctx, p)
}

func (d *daemon) isReady(role cluster.Role, line string) {
	d.ready.Ready(string(role))
	fmt.Fprintln(d.out, line)
}

// path names something in the data directory.
func (d *daemon) path(parts ...string) string {
	return filepath.Join(append([]string{d.cfg.DataDir}, parts...)...)
}

// loop runs fn in the daemon's group; when it ends before the daemon does,
// the daemon ends with its name. Profiles show what it costs by that.
func (d *daemon) loop(name string, fn func(context.Context) error) {
	d.group.Go(func() error {
		err := profile.Part(d.ctx, name, fn)
		switch {
		case d.ctx.Err() != nil:
			return nil
		case err == nil:
			return fmt.Errorf("%s ended by itself", name)
		}
		return fmt.Errorf("%s: %w", name, err)
	})
}

func (d *daemon) onClose(fn func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closers = append(d.closers, fn)
}
