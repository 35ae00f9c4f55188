package procs

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aorta/internal/testkit"
)

// envRole turns the test binary into one of the processes that tests need.
const envRole = "PROCS_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(envRole) {
	case "stubborn":
		stubborn()
	case "parent":
		parent()
	case "starter":
		starter()
	case "locker":
		locker()
	default:
		goleak.VerifyTestMain(m)
	}
}

// stubborn says that it is up by a file, and ends by SIGKILL only.
func stubborn() {
	signal.Ignore(syscall.SIGTERM)
	must(os.WriteFile("up", nil, 0o600))
	select {}
}

// parent has a stubborn child in its session, like a server with workers.
func parent() {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), envRole+"=stubborn")
	must(cmd.Start())
	must(os.WriteFile("child", fmt.Append(nil, cmd.Process.Pid), 0o600))
	must(cmd.Wait())
}

// starter opens a daemon in the directory of its argument, and waits.
func starter() {
	d := New(sleeper(os.Args[1], os.Args[2]), slog.New(slog.DiscardHandler))
	must(d.Open(context.Background()))
	fmt.Println(d.Pid())
	select {}
}

func locker() {
	unlock, err := LockDir(os.Args[1])
	must(err)
	defer unlock()
	fmt.Println("locked")
	select {}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// sleeper is the spec of a daemon that does nothing, with everything under root.
func sleeper(root, name string) Spec {
	return Spec{
		Name: name, Path: "/usr/bin/sleep", Args: []string{"600"},
		Dir: filepath.Join(root, name+"-data"), StateDir: filepath.Join(root, "state"),
		LogPath: filepath.Join(root, name+".log"), StopTimeout: 5 * time.Second,
	}
}

// actor is the spec of a daemon that plays one of TestMain's roles.
func actor(t *testing.T, root, role, readyFile string) Spec {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatalf("find the test binary: %v", err)
	}
	s := sleeper(root, role)
	s.Path, s.Args, s.Env = self, nil, []string{envRole + "=" + role}
	s.Ready = func(context.Context) error {
		_, err := os.Stat(filepath.Join(s.Dir, readyFile))
		return err
	}
	s.DieWithParent, s.StopTimeout = true, 200*time.Millisecond
	return s
}

// newDaemon makes a daemon which is stopped at the end of the test.
func newDaemon(t *testing.T, spec Spec) *Daemon {
	t.Helper()
	d := New(spec, testLog(t))
	t.Cleanup(func() { stopAll(t, spec.StateDir) })
	return d
}

// open makes and opens a daemon.
func open(t *testing.T, spec Spec) *Daemon {
	t.Helper()
	d := newDaemon(t, spec)
	if err := d.Open(t.Context()); err != nil {
		t.Fatalf("Open: got %v, want no error", err)
	}
	return d
}

func stopAll(t *testing.T, stateDir string) {
	t.Helper()
	if err := StopRecorded(testkit.BoundedBy(t, context.WithoutCancel(t.Context())), stateDir, testLog(t)); err != nil {
		t.Errorf("clean up: %v", err)
	}
}

// run runs the daemon's loop until the test ends or the returned function is
// called, which gives what Run returned.
func run(t *testing.T, d *Daemon) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	var result error
	ended := false
	stop = func() error {
		if cancel(); !ended {
			result, ended = <-done, true
		}
		return result
	}
	t.Cleanup(func() { _ = stop() })
	return stop
}

func testLog(t *testing.T) *slog.Logger {
	t.Helper()
	return slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Logf("%s", b)
	return len(b), nil
}

// kill9 kills a process and waits until all of it is gone: what /proc shows of
// its first thread ends before its other threads let go of their files.
func kill9(t *testing.T, pid int) {
	t.Helper()
	p, err := openProcess(pid)
	if err != nil {
		t.Fatalf("kill -9 %d: %v", pid, err)
	}
	defer p.close()
	if err := kill(testkit.Bounded(t), p); err != nil {
		t.Fatalf("kill -9 %d: %v", pid, err)
	}
}

func alive(pid int) bool {
	_, err := readStat(pid)
	return err == nil
}

// startRole starts the test binary in a role and returns its first line.
func startRole(t *testing.T, role string, args ...string) (*exec.Cmd, string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatalf("find the test binary: %v", err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), envRole+"="+role)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatalf("make a pipe: %v", err)
	}
	defer func() { _ = r.Close() }()
	cmd.Stdout, cmd.Stderr = w, os.Stderr
	testkit.StartChild(t, cmd)
	_ = w.Close()
	line := ""
	if _, err := fmt.Fscanln(r, &line); err != nil && err != io.EOF {
		t.Fatalf("read what the %s says: %v", role, err)
	}
	return cmd, line
}
