package procs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"aorta/internal/duration"
	"aorta/internal/pause"
)

// startup is one start of a daemon: enough to say why it failed.
type startup struct{ log *logFile }

// start clears what a dead daemon left, then starts a new one: intent on disk,
// fork, identity on disk. A death of ours between any two leaves something to
// find the daemon by.
func (d *Daemon) start(ctx context.Context) (*startup, error) {
	for _, dir := range []string{d.spec.StateDir, d.spec.Dir} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("start %s: make directory: %w", d.spec.Name, err)
		}
	}
	sockets := d.keepSockets()
	defer closeAll(sockets)
	if err := d.clearLeftovers(ctx); err != nil {
		return nil, err
	}
	if d.spec.Prepare != nil {
		if err := d.spec.Prepare(); err != nil {
			return nil, fmt.Errorf("start %s: %w", d.spec.Name, err)
		}
	}
	if err := d.newRecord(identity{}).write(d.spec.StateDir); err != nil {
		return nil, fmt.Errorf("start %s: %w", d.spec.Name, err)
	}
	log, err := openLog(d.spec.LogPath)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", d.spec.Name, err)
	}
	defer log.close()
	st := &startup{log: log}
	p, err := d.fork(log.file, sockets)
	if err != nil {
		return st, fmt.Errorf("start %s: %w", d.spec.Name, err)
	}
	d.countStart()
	if err := d.enrol(p); err != nil {
		return st, d.abandon(p, st, err)
	}
	d.raise(p)
	d.set(p, false)
	d.log.Info("daemon started", "pid", p.pid)
	return st, nil
}

// enrol writes down who the new process is.
func (d *Daemon) enrol(p *process) error {
	id, err := readIdentity(p.pid)
	if err != nil {
		return err
	}
	if err := d.newRecord(id).write(d.spec.StateDir); err != nil {
		return err
	}
	if d.spec.OOMScoreAdj == nil {
		return nil
	}
	adj := strconv.Itoa(*d.spec.OOMScoreAdj)
	if err := os.WriteFile(procPath(p.pid, "oom_score_adj"), []byte(adj), 0); err != nil {
		return fmt.Errorf("set oom_score_adj to %s: %w", adj, err)
	}
	return nil
}

// abandon ends a child that can't be recorded, since nobody could stop it later.
func (d *Daemon) abandon(p *process, st *startup, cause error) error {
	if p.exited() || errors.Is(cause, errNoProcess) {
		err := d.endedError(p.collect(), st)
		p.close()
		return err
	}
	_ = p.signal(syscall.SIGKILL)
	p.collect()
	p.close()
	return fmt.Errorf("start %s: record it: %w", d.spec.Name, cause)
}

func (d *Daemon) fork(log *os.File, sockets []*os.File) (*process, error) {
	mark, err := d.marker.open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = mark.Close() }()
	cmd := exec.Command(d.spec.Path, d.spec.Args...)
	cmd.Dir = d.spec.Dir
	cmd.Env = append(append(baseEnv(), d.spec.Env...), d.marker.env()...)
	cmd.Stdout, cmd.Stderr = log, log
	dirs, err := openDirs(d.spec.OpenDirs)
	if err != nil {
		return nil, err
	}
	defer closeAll(dirs)
	cmd.ExtraFiles = append(append([]*os.File{mark}, dirs...), sockets...)
	cmd.Env = append(cmd.Env, d.spec.socketsEnv(FirstOpenDir+len(dirs), len(sockets))...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if d.spec.DieWithParent {
		return startBound(cmd)
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	// Nobody else reaps the child, so its number is still its own here.
	p, err := openProcess(cmd.Process.Pid)
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return nil, err
	}
	p.reap = reaper(cmd.Wait)
	return p, nil
}

func openDirs(paths []string) ([]*os.File, error) {
	var dirs []*os.File
	for _, path := range paths {
		dir, err := os.Open(path)
		if err != nil {
			closeAll(dirs)
			return nil, err
		}
		dirs = append(dirs, dir)
	}
	return dirs, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}

// startBound starts a command that dies with this process. The signal fires
// when the forking thread ends, so a goroutine keeps that thread until the child
// has ended; that is also what stops the goroutine. It reaps the child, so it
// opens it first.
func startBound(cmd *exec.Cmd) (*process, error) {
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	var p *process
	started, ended := make(chan error), make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		if err == nil {
			p, err = openProcess(cmd.Process.Pid)
		}
		started <- err
		if cmd.Process == nil {
			return
		}
		if err != nil {
			_ = cmd.Process.Kill()
		}
		ended <- cmd.Wait()
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	p.reap = reaper(func() error { return <-ended })
	return p, nil
}

func baseEnv() []string {
	var env []string
	for _, key := range []string{"PATH", "HOME", "LANG", "TZ", "TMPDIR"} {
		if v, ok := os.LookupEnv(key); ok {
			env = append(env, key+"="+v)
		}
	}
	return env
}

// waitReady polls Ready until it returns nil, the daemon ends, it is stopped,
// or the time is up.
func (d *Daemon) waitReady(ctx context.Context, st *startup) error {
	p := d.process()
	if p == nil {
		return fmt.Errorf("wait for %s: %w", d.spec.Name, ErrNotRunning)
	}
	limit, cancel := context.WithTimeout(ctx, d.spec.readyTimeout())
	defer cancel()
	for delay := 5 * time.Millisecond; ; delay = min(2*delay, 100*time.Millisecond) {
		if p.exited() {
			how := p.collect()
			d.set(nil, false)
			return d.endedError(how, st)
		}
		var err error
		if d.spec.Ready != nil {
			err = d.spec.Ready(limit)
		}
		if err == nil {
			return nil
		}
		if d.stopped.Load() {
			return errStopped
		}
		if pause.For(limit, delay) {
			continue
		}
		if ctx.Err() != nil {
			return fmt.Errorf("wait for %s: %w", d.spec.Name, ctx.Err())
		}
		return notReady{fmt.Errorf("%s (process %d) runs, but was not ready within %s: %w (its log: %s)",
			d.spec.Name, p.pid, duration.Text(d.spec.readyTimeout()), err, d.spec.LogPath)}
	}
}

func (d *Daemon) endedError(how string, st *startup) error {
	tail := ""
	if st != nil {
		tail = st.log.tail()
	}
	if tail == "" {
		tail = "(nothing)"
	}
	return notReady{fmt.Errorf("%s ended before it was ready: %s; %s says: %s", d.spec.Name, how, d.spec.LogPath, tail)}
}

// notReady is an error that errors.Is finds ErrNotReady in.
type notReady struct{ error }

func (n notReady) Unwrap() error { return n.error }

func (n notReady) Is(target error) bool { return target == ErrNotReady }

// clearLeftovers ends what a dead daemon left behind, because it may hold the
// listeners that the next one needs. It is asked first, so that requests in
// flight can end; when a start failed since, it is killed.
func (d *Daemon) clearLeftovers(ctx context.Context) error {
	exe, err := filepath.EvalSymlinks(d.spec.Path)
	if err != nil {
		return fmt.Errorf("start %s: find its executable: %w", d.spec.Name, err)
	}
	sig := d.spec.stopSignal()
	if d.failed > 0 {
		sig = syscall.SIGKILL
	}
	left, err := signalLeftovers(ctx, d.marker, exe, sig)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("start %s: end what the last one left: %w", d.spec.Name, err)
	}
	if left > 0 {
		d.log.Warn("dead daemon left processes behind", "processes", left, "signal", sig.String())
	}
	return nil
}
