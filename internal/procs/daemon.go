package procs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// ErrNotRunning: the daemon was not opened, or has ended.
var ErrNotRunning = errors.New("daemon is not running")

// ErrNotReady: the daemon was started, and ended or took too long before it worked.
var ErrNotReady = errors.New("daemon did not get ready")

var errStopped = errors.New("daemon was stopped")

// Daemon is one managed daemon. Its methods may be called from any goroutine.
type Daemon struct {
	spec   Spec
	log    *slog.Logger
	marker marker

	// turn holds one token: starts, restarts and stops take turns. A channel,
	// so that waiting for it ends with the context. It guards failed.
	turn    chan struct{}
	failed  int // starts in a row that didn't get ready
	stopped atomic.Bool

	mu       sync.Mutex // guards what follows
	proc     *process   // nil: not running
	adopted  bool
	restarts int
	known    bool // it has run before, so a start is a restart
}

// New makes a daemon from its spec. Nothing is started or inspected before Open.
func New(spec Spec, log *slog.Logger) *Daemon {
	return &Daemon{
		spec:   spec,
		log:    log.With("daemon", spec.Name),
		marker: marker{name: spec.Name, dir: spec.Dir, stateDir: spec.StateDir},
		turn:   make(chan struct{}, 1),
	}
}

// Open adopts the recorded daemon when it lives, else starts it, and returns
// once it is ready. A daemon that ended before it was ready is an error that
// holds the end of its log. One that lives and isn't ready in time is left
// alone, since it may be loading. Open after Stop starts it again.
func (d *Daemon) Open(ctx context.Context) error {
	d.stopped.Store(false)
	return d.bring(ctx)
}

// bring makes the daemon run and waits until it is ready; nothing happens when
// it already is.
func (d *Daemon) bring(ctx context.Context) error {
	if err := d.spec.validate(); err != nil {
		return err
	}
	if err := d.acquire(ctx); err != nil {
		return err
	}
	defer d.release()
	if d.stopped.Load() {
		return errStopped
	}
	started, err := d.attachOrStart(ctx)
	if err == nil {
		err = d.waitReady(ctx, started)
	}
	if err != nil && started != nil {
		d.failed++
		return err
	}
	d.failed = 0
	return err
}

// attachOrStart returns what is known of the start when there was one.
func (d *Daemon) attachOrStart(ctx context.Context) (*startup, error) {
	if p := d.process(); p != nil && !p.exited() {
		return nil, nil
	}
	p, err := d.attach()
	if err != nil {
		return nil, err
	}
	if p != nil {
		d.raise(p)
		d.set(p, true)
		d.log.Info("daemon adopted", "pid", p.pid)
		return nil, nil
	}
	return d.start(ctx)
}

// attach finds the living daemon by its record or, failing that, by its marker.
// It returns nil when there is none.
func (d *Daemon) attach() (*process, error) {
	rec, err := readRecord(d.spec.StateDir, d.spec.Name)
	var bad *badRecordError
	switch {
	case errors.As(err, &bad):
		d.log.Warn("record is unusable; looking for the daemon by its marker", "error", bad)
	case err != nil && !errors.Is(err, errNoRecord):
		return nil, err
	case err == nil:
		p, err := rec.open(d.marker)
		if err == nil && rec.Dir != d.spec.Dir {
			p.close()
			return nil, fmt.Errorf("daemon %s runs with data directory %s as process %d, not with %s (stop it first)",
				d.spec.Name, rec.Dir, rec.Process.Pid, d.spec.Dir)
		}
		if err == nil {
			return p, nil
		}
		d.log.Debug("recorded process is not ours to adopt", "pid", rec.Process.Pid, "cause", err)
	}
	return d.attachMarked()
}

func (d *Daemon) attachMarked() (*process, error) {
	exe, err := filepath.EvalSymlinks(d.spec.Path)
	if err != nil {
		return nil, fmt.Errorf("daemon %s: find its executable: %w", d.spec.Name, err)
	}
	p, id, err := d.marker.findDaemon(exe)
	if errors.Is(err, errNoProcess) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for daemon %s: %w", d.spec.Name, err)
	}
	d.log.Warn("daemon found without a record", "pid", p.pid)
	if err := d.newRecord(id).write(d.spec.StateDir); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// open opens the recorded process if it is still the same one. The order is
// what makes it safe: first the pidfd, then the checks, then that it still lives.
func (r record) open(m marker) (*process, error) {
	if r.Process.Pid == 0 {
		return nil, errors.New("only the intent to start is recorded")
	}
	p, err := openProcess(r.Process.Pid)
	if err != nil {
		return nil, err
	}
	now, err := readIdentity(p.pid)
	if err == nil {
		if part := r.Process.mismatch(now); part != "" {
			err = fmt.Errorf("process %d has another %s", p.pid, part)
		}
	}
	m.dir = r.Dir
	if err == nil && !worksIn(p.pid, r.Dir) && !m.onProcess(p.pid) {
		err = fmt.Errorf("process %d has another data directory", p.pid)
	}
	if err == nil && p.exited() {
		err = errNoProcess
	}
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (d *Daemon) newRecord(id identity) record {
	return record{
		Name: d.spec.Name, Process: id, Path: d.spec.Path, Dir: d.spec.Dir,
		StopSignal: d.spec.stopSignal(), StopTimeout: d.spec.stopTimeout(),
		StopOrder: d.spec.StopOrder, StartedAt: time.Now().UTC(),
	}
}

// Pid is the process id of the running daemon, 0 when there is none. It is for
// people and for comparing; signals go through Signal.
func (d *Daemon) Pid() int {
	if p := d.process(); p != nil {
		return p.pid
	}
	return 0
}

// Adopted reports whether the running daemon was started by someone before us.
func (d *Daemon) Adopted() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.adopted
}

// Restarts counts the starts after the first, or after the adoption.
func (d *Daemon) Restarts() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.restarts
}

// Signal sends sig to the running daemon, and to no other process whatever
// happened to its number. ErrNotRunning when it isn't.
func (d *Daemon) Signal(sig syscall.Signal) error {
	p := d.process()
	if p == nil {
		return fmt.Errorf("signal %s: %w", d.spec.Name, ErrNotRunning)
	}
	if err := p.signal(sig); err != nil {
		return fmt.Errorf("signal %s: %w", d.spec.Name, errors.Join(ErrNotRunning, err))
	}
	return nil
}

func (d *Daemon) process() *process {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.proc
}

// set changes which process the daemon is; nil when it has ended.
func (d *Daemon) set(p *process, adopted bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.proc != nil {
		d.proc.close()
	}
	d.proc, d.adopted = p, adopted
	d.known = d.known || p != nil
}

// countStart counts a start, also one whose process is gone at once.
func (d *Daemon) countStart() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known {
		d.restarts++
	}
	d.known = true
}

func (d *Daemon) acquire(ctx context.Context) error {
	select {
	case d.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("daemon %s: wait for its turn: %w", d.spec.Name, ctx.Err())
	}
}

func (d *Daemon) release() { <-d.turn }

// SignalMember sends sig to a process that the running daemon has started, and
// to no other one, whatever became of its number.
func (d *Daemon) SignalMember(pid int, sig syscall.Signal) error {
	master := d.process()
	if master == nil {
		return fmt.Errorf("signal process %d of %s: %w", pid, d.spec.Name, ErrNotRunning)
	}
	member, err := openProcess(pid)
	if err != nil {
		return err
	}
	defer member.close()
	st, err := readStat(pid)
	if err != nil {
		return err
	}
	if st.session != master.pid { // each daemon leads its own
		return fmt.Errorf("process %d is none of %s", pid, d.spec.Name)
	}
	return member.signal(sig)
}
