package procs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sort"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	killTimeout     = 5 * time.Second // SIGKILL works at once, but for a hung disk
	leftoverTimeout = 500 * time.Millisecond
)

// Stop ends the daemon for good: its stop signal, then SIGKILL after its stop
// timeout, then whatever it left behind, then its record. It needs no Open
// before: the record is enough. Nothing running is no error. When ctx ends
// first, the record stays.
func (d *Daemon) Stop(ctx context.Context) error {
	if err := d.spec.validate(); err != nil {
		return err
	}
	d.stopped.Store(true)
	if err := d.acquire(ctx); err != nil {
		return err
	}
	defer d.release()
	if err := d.end(ctx); err != nil {
		return err
	}
	return removeRecord(d.marker)
}

// end ends the daemon and its leftovers, and keeps the record.
func (d *Daemon) end(ctx context.Context) error {
	p := d.process()
	if p == nil {
		var err error
		if p, err = d.attach(); err != nil {
			return fmt.Errorf("stop %s: %w", d.spec.Name, err)
		}
	}
	e := ending{marker: d.marker, signal: d.spec.stopSignal(), timeout: d.spec.stopTimeout(), log: d.log}
	err := e.run(ctx, p)
	if d.process() == nil && p != nil {
		p.close()
	}
	if err == nil {
		d.set(nil, false)
	}
	return err
}

// StopRecorded stops every daemon that has a record in the state directory, but those
// named, in their stop order, those of one order together. It is for when no process of
// ours watches them: hold the directory's lock (LockDir), else the watcher would
// start them again. Errors are joined; the records of those that failed stay.
func StopRecorded(ctx context.Context, stateDir string, log *slog.Logger, but ...string) error {
	names, err := recordedNames(stateDir)
	if err != nil {
		return err
	}
	turns := map[int][]record{}
	for _, name := range names {
		if slices.Contains(but, name) {
			continue
		}
		rec, err := readRecord(stateDir, name)
		if errors.Is(err, errNoRecord) {
			log.Warn("record is unusable; looking for the daemon by its marker", "daemon", name, "error", err)
			rec = record{Name: name, StopSignal: syscall.SIGTERM, StopTimeout: defaultStopTimeout}
		} else if err != nil {
			return err
		}
		turns[rec.StopOrder] = append(turns[rec.StopOrder], rec)
	}
	orders := make([]int, 0, len(turns))
	for order := range turns {
		orders = append(orders, order)
	}
	sort.Ints(orders)
	var errs []error
	for _, order := range orders {
		errs = append(errs, stopTogether(ctx, stateDir, turns[order], log)...)
	}
	return errors.Join(errs...)
}

func stopTogether(ctx context.Context, stateDir string, recs []record, log *slog.Logger) []error {
	errs := make([]error, len(recs))
	var group errgroup.Group
	for i, rec := range recs {
		group.Go(func() error {
			errs[i] = rec.stop(ctx, stateDir, log.With("daemon", rec.Name))
			return nil
		})
	}
	_ = group.Wait() // errors are in errs, so that one doesn't hide another
	return errs
}

func (r record) stop(ctx context.Context, stateDir string, log *slog.Logger) error {
	m := marker{name: r.Name, dir: r.Dir, stateDir: stateDir}
	p, err := r.open(m)
	if err != nil {
		p, _, err = m.findDaemon("")
	}
	if err != nil && !errors.Is(err, errNoProcess) {
		return fmt.Errorf("stop %s: %w", r.Name, err)
	}
	if p != nil {
		defer p.close()
	}
	e := ending{marker: m, signal: r.StopSignal, timeout: r.StopTimeout, log: log}
	if err := e.run(ctx, p); err != nil {
		return err
	}
	err = removeRecord(m)
	if errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EIO) { // a record of a process that has ended harms nobody
		log.Warn("daemon stopped; its record stays", "err", err)
		return nil
	}
	return err
}

// ending is how one daemon is ended.
type ending struct {
	marker  marker
	signal  syscall.Signal
	timeout time.Duration
	log     *slog.Logger
}

// run ends the process, if there is one, and what it left behind.
func (e ending) run(ctx context.Context, p *process) error {
	if p != nil {
		if err := e.endProcess(ctx, p); err != nil {
			return fmt.Errorf("stop %s: %w", e.marker.name, err)
		}
	}
	for _, sig := range []syscall.Signal{e.signal, syscall.SIGKILL} {
		left, err := signalLeftovers(ctx, e.marker, "", sig)
		if left == 0 || (err != nil && !errors.Is(err, context.DeadlineExceeded)) {
			return err
		}
	}
	return ctx.Err()
}

func (e ending) endProcess(ctx context.Context, p *process) error {
	if err := p.signal(e.signal); err != nil && !errors.Is(err, errNoProcess) {
		return err
	}
	asked, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	err := p.wait(asked)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("wait for process %d to end: %w", p.pid, err)
	}
	if err != nil {
		e.log.Warn("daemon did not end in time; killing it", "pid", p.pid, "timeout", e.timeout)
		if err := kill(ctx, p); err != nil {
			return err
		}
	}
	e.log.Info("daemon stopped", "pid", p.pid, "how", p.collect())
	return nil
}

func kill(ctx context.Context, p *process) error {
	if err := p.signal(syscall.SIGKILL); err != nil && !errors.Is(err, errNoProcess) {
		return err
	}
	limit, cancel := context.WithTimeout(ctx, killTimeout)
	defer cancel()
	if err := p.wait(limit); err != nil {
		return fmt.Errorf("process %d does not end, not even killed (is its disk hung?): %w", p.pid, err)
	}
	return nil
}

// signalLeftovers signals every leftover once and waits for a moment until they
// have ended; it returns how many there were.
func signalLeftovers(ctx context.Context, m marker, exe string, sig syscall.Signal) (int, error) {
	left, err := m.findLeftovers(exe)
	if err != nil {
		return 0, err
	}
	limit, cancel := context.WithTimeout(ctx, leftoverTimeout)
	defer cancel()
	var errs []error
	for _, p := range left {
		if err := p.signal(sig); err != nil && !errors.Is(err, errNoProcess) {
			errs = append(errs, err)
		}
	}
	for _, p := range left {
		errs = append(errs, p.wait(limit))
		p.close()
	}
	return len(left), errors.Join(errs...)
}

func removeRecord(m marker) error {
	for _, path := range []string{m.path(), recordPath(m.stateDir, m.name)} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("stop %s: remove its record: %w", m.name, err)
		}
	}
	return nil
}
