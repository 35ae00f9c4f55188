package procs

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"aorta/internal/testkit"
)

func TestDaemon_RunStartsADeadDaemonAgainAndLeavesItAlive(t *testing.T) {
	d := open(t, sleeper(testkit.ShortDir(t), "a"))
	first := d.Pid()
	stop := run(t, d)

	kill9(t, first)
	testkit.Eventually(t, "a second process", func() bool { return d.Pid() != 0 && d.Pid() != first })
	err := stop()

	if err != nil || d.Restarts() != 1 || !alive(d.Pid()) {
		t.Errorf("got error %v, %d restarts, alive %v; want nil, 1, true", err, d.Restarts(), alive(d.Pid()))
	}
}

func TestDaemon_RunWatchesAnAdoptedDaemon(t *testing.T) {
	root := testkit.ShortDir(t)
	starter, line := startRole(t, "starter", root, "a")
	kill9(t, starter.Process.Pid)
	first, err := strconv.Atoi(line)
	if err != nil {
		t.Fatalf("the starter says %q, want a process id", line)
	}
	d := open(t, sleeper(root, "a"))
	run(t, d)

	kill9(t, first)

	testkit.Eventually(t, "a process of our own", func() bool {
		return d.Pid() != 0 && d.Pid() != first && !d.Adopted()
	})
}

func TestDaemon_RunBacksOffFromACrashingDaemon(t *testing.T) {
	spec := sleeper(testkit.ShortDir(t), "a")
	spec.Args = []string{"0"}
	d := newDaemon(t, spec)
	began := time.Now()
	run(t, d)

	testkit.Eventually(t, "four starts", func() bool { return d.Restarts() >= 3 })

	// 100 + 200 + 400 ms, less 20 %.
	if now := time.Now(); now.Before(began.Add(560 * time.Millisecond)) {
		t.Errorf("got four starts in %s, want at least 560 ms between the first and the last", now.Sub(began))
	}
}

func TestDaemon_RestartIsNoCrash(t *testing.T) {
	d := open(t, sleeper(testkit.ShortDir(t), "a"))
	stop := run(t, d)
	first := d.Pid()

	err := d.Restart(t.Context())

	if err != nil || d.Pid() == first || !alive(d.Pid()) || alive(first) {
		t.Errorf("got error %v, process %d after %d; want another one, the first ended", err, d.Pid(), first)
	}
	if err := stop(); err != nil || d.Restarts() != 1 {
		t.Errorf("Run: got %v with %d restarts, want nil with 1", err, d.Restarts())
	}
}

// The workers of a dead server hold what the next one needs.
func TestDaemon_LeftoversOfADeadDaemonAreEnded(t *testing.T) {
	spec := actor(t, testkit.ShortDir(t), "parent", "child")
	d := open(t, spec)
	testkit.Eventually(t, "the child to be up", func() bool { return exists(spec.Dir, "up") })
	child := readPid(t, spec.Dir, "child")
	first := d.Pid()
	if err := d.Signal(syscall.SIGKILL); err != nil {
		t.Fatalf("kill the daemon: %v", err)
	}
	testkit.Eventually(t, "the daemon to end", func() bool { return !alive(first) })
	if !alive(child) {
		t.Fatalf("the child %d ended with its parent, want it left over", child)
	}

	err := d.Stop(t.Context())

	if err != nil || alive(child) {
		t.Errorf("got error %v, leftover alive %v; want nil, false", err, alive(child))
	}
}

func readPid(t *testing.T, dir, name string) int {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatalf("read process id: %v", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		t.Fatalf("read process id: %v", err)
	}
	return pid
}

func exists(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}
