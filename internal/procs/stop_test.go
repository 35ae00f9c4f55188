package procs

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"aorta/internal/testkit"
)

func TestDaemon_StopKillsWhatDoesNotEnd(t *testing.T) {
	spec := actor(t, testkit.ShortDir(t), "stubborn", "up")
	spec.StopTimeout = 100 * time.Millisecond
	d := open(t, spec)
	pid := d.Pid()
	began := time.Now()

	err := d.Stop(t.Context())

	if err != nil || alive(pid) || d.Pid() != 0 {
		t.Errorf("got error %v, alive %v, process %d; want nil, false, 0", err, alive(pid), d.Pid())
	}
	if ended := time.Now(); ended.Before(began.Add(spec.StopTimeout)) {
		t.Errorf("killed after %s, want the stop timeout of %s first", ended.Sub(began), spec.StopTimeout)
	}
}

func TestDaemon_StopEndsRun(t *testing.T) {
	d := open(t, sleeper(testkit.ShortDir(t), "a"))
	done := make(chan error, 1)
	go func() { done <- d.Run(t.Context()) }()

	err := d.Stop(t.Context())

	if runErr := <-done; err != nil || runErr != nil || d.Pid() != 0 {
		t.Errorf("got Stop %v, Run %v, process %d; want nil, nil, 0", err, runErr, d.Pid())
	}
}

func TestDaemon_StopNeedsNoOpen(t *testing.T) {
	root := testkit.ShortDir(t)
	first := open(t, sleeper(root, "a"))
	pid := first.Pid()
	other := New(sleeper(root, "a"), testLog(t))

	err := other.Stop(t.Context())

	if err != nil || alive(pid) {
		t.Errorf("got error %v, alive %v; want nil, false", err, alive(pid))
	}
	if left, _ := os.ReadDir(first.spec.StateDir); len(left) != 0 {
		t.Errorf("got %v left in the state directory, want nothing", left)
	}
	if err := other.Stop(t.Context()); err != nil {
		t.Errorf("stop again: got %v, want nil", err)
	}
}

func TestStopRecorded_StopsInOrderAndOnlyItsOwn(t *testing.T) {
	here, there := testkit.ShortDir(t), testkit.ShortDir(t)
	last, first := sleeper(here, "a"), sleeper(here, "b")
	last.StopOrder, first.StopOrder = 2, 1
	a, b := open(t, last).Pid(), open(t, first).Pid()
	neighbour := open(t, sleeper(there, "a")).Pid()
	if err := os.WriteFile(recordPath(first.StateDir, "b"), []byte("{"), 0o600); err != nil {
		t.Fatalf("break a record: %v", err)
	}

	err := StopRecorded(t.Context(), last.StateDir, testLog(t), "a")
	spared := alive(a) && !alive(b)
	err = errors.Join(err, StopRecorded(t.Context(), last.StateDir, testLog(t)))

	if err != nil || alive(a) || alive(b) {
		t.Errorf("got error %v, alive %v and %v; want nil, false, false", err, alive(a), alive(b))
	}
	if !spared {
		t.Error("got the one that was to be spared stopped too, or none")
	}
	if !alive(neighbour) {
		t.Errorf("the daemon of another state directory ended, want it left alone")
	}
}

func TestStopRecorded_LowerOrderEndsFirst(t *testing.T) {
	root := testkit.ShortDir(t)
	early, late := actor(t, root, "stubborn", "up"), sleeper(root, "z")
	early.StopOrder, early.StopTimeout, late.StopOrder = 1, 300*time.Millisecond, 2
	a, z := open(t, early).Pid(), open(t, late).Pid()
	done := make(chan error, 1)

	go func() { done <- StopRecorded(t.Context(), late.StateDir, testLog(t)) }()

	testkit.Eventually(t, "the first to end", func() bool {
		lateAlive := alive(z)
		if alive(a) && !lateAlive {
			t.Fatalf("the later daemon ended first")
		}
		return !alive(a)
	})
	if err := <-done; err != nil || alive(z) {
		t.Errorf("got error %v, later one alive %v; want nil, false", err, alive(z))
	}
}

func TestProcess_PidfdNeverReachesASuccessor(t *testing.T) {
	d := open(t, sleeper(testkit.ShortDir(t), "a"))
	p, err := openProcess(d.Pid())
	if err != nil {
		t.Fatalf("open process: %v", err)
	}
	defer p.close()
	if err := d.Stop(t.Context()); err != nil {
		t.Fatalf("stop: %v", err)
	}

	err = p.signal(syscall.SIGKILL)

	if !errors.Is(err, errNoProcess) || !p.exited() {
		t.Errorf("got %v, exited %v; want errNoProcess, true", err, p.exited())
	}
}

func TestLockDir_RefusesTheSecondAndNamesTheFirst(t *testing.T) {
	dir := testkit.ShortDir(t)
	first, _ := startRole(t, "locker", dir)

	_, err := LockDir(dir)

	var locked *LockedError
	host, _ := os.Hostname()
	if !errors.As(err, &locked) || locked.Pid != strconv.Itoa(first.Process.Pid) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), " on host "+host+" since ") {
		t.Errorf("got %v, want a LockedError with process %d on host %s and the directory", err, first.Process.Pid, host)
	}

	kill9(t, first.Process.Pid)
	unlock, err := LockDir(dir)
	if err != nil {
		t.Fatalf("after the first was killed: got %v, want the lock", err)
	}
	unlock()
}

// A child that a fork has just made has the lock's file open, too, until its own program
// starts.
func TestLockDir_EndsAtOnceThoughAChildHasItsFile(t *testing.T) {
	dir := testkit.ShortDir(t)
	unlock, err := LockDir(dir)
	testkit.Must(t, err)
	testkit.Inherit(t, lockPath(dir))

	unlock()

	unlock, err = LockDir(dir)
	if err != nil {
		t.Fatalf("got %v, want the lock", err)
	}
	unlock()
}

// Who stops what runs holds the lock also where it can't say so.
func TestLockDirToStop_NeedsNoDiskThatTakesWrites(t *testing.T) {
	dir := testkit.ShortDir(t)
	broken := testkit.MountExt4(t, dir, 16)
	never := testkit.ShortDir(t)
	first, err := LockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	broken.Break(t)

	_, held := LockDirToStop(dir)
	first()
	stop, err := LockDirToStop(dir)
	_, again := LockDirToStop(dir)

	for _, err := range []error{held, again} {
		var locked *LockedError
		if !errors.As(err, &locked) || locked.Pid != strconv.Itoa(os.Getpid()) {
			t.Errorf("got %v, want it held by this process", err)
		}
	}
	if err != nil {
		t.Fatalf("got %v, want the lock", err)
	}
	stop()
	if _, err := LockDir(dir); !errors.Is(err, syscall.EROFS) {
		t.Errorf("LockDir: got %v, want the disk", err)
	}
	unlock, err := LockDirToStop(never)
	if err != nil {
		t.Fatalf("a directory without a lock: got %v", err)
	}
	unlock()
}
