package rig

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// Own is a Docker engine of one test, which may kill it: instances live on, as
// with the engine of make up. It has a network namespace of its own, where it does
// nothing to the bridges and firewall chains of another engine.
type Own struct {
	Host    string // its address
	tb      testing.TB
	dir     string
	cluster cluster.ID
	cmd     *exec.Cmd
	gone    <-chan struct{}
	starts  int
	network string    // its network namespace
	tasks   *exec.Cmd // containerd
	ended   <-chan struct{}
	flags   []string
}

// LiveRestore is the flag of an engine whose containers outlive it.
const LiveRestore = "--live-restore"

// OwnEngine starts one, which ends with the test, its containers included. Without
// flags it has LiveRestore.
func OwnEngine(tb testing.TB, id cluster.ID, flags ...string) *Own {
	tb.Helper()
	if testing.Short() {
		tb.Skip("needs a Docker engine, which a quick check does not start")
	}
	if os.Getuid() != 0 {
		tb.Fatal("this test starts a Docker engine, which needs root")
	}
	dir := testkit.ShortDir(tb)
	o := &Own{tb: tb, dir: dir, cluster: id, Host: "unix://" + dir + "/sock", flags: flags}
	if len(flags) == 0 {
		o.flags = []string{LiveRestore}
	}
	tb.Cleanup(o.unmount)
	tb.Cleanup(o.endShims) // once all that the test started has ended
	if o.network = testkit.OwnNetwork(); o.network == "" {
		o.makeNetwork()
	}
	o.startTasks()
	o.Start()
	return o
}

// makeNetwork makes a network namespace that nobody else is in.
func (o *Own) makeNetwork() {
	o.tb.Helper()
	holder, _ := o.child("unshare", "--net", "sleep", "infinity")
	o.network = fmt.Sprintf("/proc/%d/ns/net", holder.Process.Pid)
	own, err := os.Readlink("/proc/self/ns/net")
	testkit.Must(o.tb, err)
	testkit.Eventually(o.tb, "a network namespace", func() bool { is, err := os.Readlink(o.network); return err == nil && is != own })
}

func (o *Own) startTasks() {
	o.tb.Helper()
	o.tasks, o.ended = o.child("containerd", "--root", o.dir+"/images", "--state", o.dir+"/tasks", "--address", o.dir+"/containerd")
}

// Start starts the engine, again after Kill, and waits until it answers.
func (o *Own) Start() {
	o.tb.Helper()
	args := []string{
		"--net=" + o.network, "dockerd", "--data-root", o.dir + "/data", "--exec-root", o.dir + "/run",
		"--pidfile", o.dir + "/pid", "-H", o.Host, "--containerd", o.dir + "/containerd",
	}
	o.cmd, o.gone = o.child("nsenter", append(args, o.flags...)...)
	o.starts++
	nth, e := o.starts, EngineAt(o.tb, o.Host, o.cluster)
	o.tb.Cleanup(func() {
		if nth == o.starts { // the others were killed
			sweep(o.tb, e)
			o.end()
		}
	})
	testkit.Eventually(o.tb, "the test's own engine to answer", func() bool {
		select {
		case <-o.gone:
			text, _ := os.ReadFile(o.dir + "/log")
			o.tb.Fatalf("dockerd ended:\n%s", text)
		default:
		}
		_, err := e.Info(o.tb.Context())
		return err == nil
	})
}

// child starts a program with its output in the engine's log.
func (o *Own) child(name string, args ...string) (*exec.Cmd, <-chan struct{}) {
	o.tb.Helper()
	log, err := os.OpenFile(o.dir+"/log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	testkit.Must(o.tb, err)
	defer func() { _ = log.Close() }()
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = log, log
	return cmd, testkit.StartChild(o.tb, cmd)
}

// Within calls fn in the engine's network namespace, as for a listener that the
// engine finds on its loopback.
func (o *Own) Within(fn func()) {
	o.tb.Helper()
	done := make(chan error)
	go func() { // ends with its thread, which is not used again
		runtime.LockOSThread()
		f, err := os.Open(o.network)
		if err == nil {
			err = errors.Join(unix.Setns(int(f.Fd()), unix.CLONE_NEWNET), loopbackUp(), f.Close())
		}
		if err == nil {
			fn()
		}
		done <- err
	}()
	testkit.Must(o.tb, <-done)
}

// loopbackUp switches on the loopback of the thread's network namespace.
func loopbackUp() error {
	out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput()
	if err != nil {
		return fmt.Errorf("switch on the loopback: %w: %s", err, out)
	}
	return nil
}

// Kill kills the engine as `kill -9` does. Its containers, their shims and
// containerd live on.
func (o *Own) Kill() {
	o.tb.Helper()
	testkit.Must(o.tb, o.cmd.Process.Kill())
	<-o.gone
}

// Stop ends the engine as a service manager does.
func (o *Own) Stop() {
	o.tb.Helper()
	o.end()
}

// Empty kills the engine, takes all its data away and starts it anew. The processes
// of its containers live on, and no engine knows them.
func (o *Own) Empty() {
	o.tb.Helper()
	e := EngineAt(o.tb, o.Host, o.cluster)
	list, err := e.List(o.tb.Context())
	testkit.Must(o.tb, err)
	for _, c := range list {
		c, err := e.Inspect(o.tb.Context(), c.Instance)
		testkit.Must(o.tb, err)
		endAfter(o.tb, c.Pid)
	}
	o.Kill()
	testkit.Must(o.tb, o.tasks.Process.Kill())
	<-o.ended
	o.unmount()
	for _, part := range []string{"data", "run", "images", "tasks"} {
		testkit.Must(o.tb, os.RemoveAll(filepath.Join(o.dir, part)))
	}
	o.startTasks()
	o.Start()
}

// LoseNetworks kills the engine and starts it without what it knew of its networks.
func (o *Own) LoseNetworks() {
	o.tb.Helper()
	o.Kill()
	testkit.Must(o.tb, os.RemoveAll(filepath.Join(o.dir, "data", "network")))
	o.Start()
}

// endAfter ends a process once the test is over.
func endAfter(tb testing.TB, pid int) {
	tb.Helper()
	if pid == 0 {
		return
	}
	fd, err := unix.PidfdOpen(pid, 0)
	testkit.Must(tb, err)
	tb.Cleanup(func() { _ = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); _ = unix.Close(fd) })
}

func (o *Own) end() {
	_ = o.cmd.Process.Signal(syscall.SIGTERM)
	<-o.gone
}

// unmount takes away what an engine leaves mounted below its directory.
func (o *Own) unmount() {
	raw, err := os.ReadFile("/proc/self/mounts")
	testkit.Must(o.tb, err)
	var below []string
	for line := range strings.Lines(string(raw)) {
		if f := strings.Fields(line); strings.HasPrefix(f[1], o.dir+string(filepath.Separator)) {
			below = append(below, f[1])
		}
	}
	for _, at := range slices.Backward(below) {
		if err := syscall.Unmount(at, syscall.MNT_DETACH); err != nil { // whoever reads there goes on
			o.tb.Errorf("unmount %s: %v", at, err)
		}
	}
}
