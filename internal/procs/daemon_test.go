package procs

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"aorta/internal/atomicfile"
	"aorta/internal/testkit"
)

func TestDaemon_AdoptedAfterItsStarterIsKilled(t *testing.T) {
	root := testkit.ShortDir(t)
	t.Cleanup(func() { stopAll(t, filepath.Join(root, "state")) })
	starter, line := startRole(t, "starter", root, "a")
	want, err := strconv.Atoi(line)
	if err != nil {
		t.Fatalf("the starter says %q, want a process id", line)
	}
	kill9(t, starter.Process.Pid)

	d := open(t, sleeper(root, "a"))

	if got := d.Pid(); got != want || !d.Adopted() {
		t.Errorf("got process %d, adopted %v; want the starter's daemon %d, adopted", got, d.Adopted(), want)
	}
	if st, err := readStat(want); err != nil || st.session != want {
		t.Errorf("got session %d (%v), want a session of its own, %d", st.session, err, want)
	}
}

func TestDaemon_FoundByItsMarkerWhenTheRecordIsMissing(t *testing.T) {
	for name, spoil := range map[string]func(string) error{
		"missing": os.Remove,
		"garbage": func(path string) error { return os.WriteFile(path, []byte("{\"pid\":\x00"), 0o600) },
		"intent only": func(path string) error {
			rec, err := readRecord(filepath.Dir(path), "a")
			rec.Process = identity{}
			return errors.Join(err, rec.write(filepath.Dir(path)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := testkit.ShortDir(t)
			first := open(t, sleeper(root, "a"))
			if err := spoil(recordPath(filepath.Join(root, "state"), "a")); err != nil {
				t.Fatalf("spoil the record: %v", err)
			}

			second := open(t, sleeper(root, "a"))

			if second.Pid() != first.Pid() || !second.Adopted() {
				t.Errorf("got process %d, adopted %v; want %d, adopted", second.Pid(), second.Adopted(), first.Pid())
			}
			if rec, err := readRecord(second.spec.StateDir, "a"); err != nil || rec.Process.Pid != first.Pid() {
				t.Errorf("got record of process %d (%v), want it written again for %d", rec.Process.Pid, err, first.Pid())
			}
		})
	}
}

// A stranger has the recorded number: it is neither adopted nor signalled.
func TestDaemon_StrangerWithTheRecordedNumberIsLeftAlone(t *testing.T) {
	for name, change := range map[string]func(*identity){
		"start time": func(id *identity) { id.StartTime-- },
		"boot id":    func(id *identity) { id.BootID = "another" },
		"executable": func(id *identity) { id.Exe = "/usr/bin/other" },
	} {
		t.Run(name, func(t *testing.T) {
			strange := testkit.ShortDir(t)
			stranger := open(t, sleeper(strange, "a"))
			id, err := readIdentity(stranger.Pid())
			if err != nil {
				t.Fatalf("read identity: %v", err)
			}
			change(&id)
			spec := sleeper(testkit.ShortDir(t), "a")
			spec.Dir = stranger.spec.Dir // also works in that directory
			d := newDaemon(t, spec)
			if err := errors.Join(os.MkdirAll(spec.StateDir, 0o700), d.newRecord(id).write(spec.StateDir)); err != nil {
				t.Fatalf("write record: %v", err)
			}

			err = errors.Join(StopRecorded(t.Context(), spec.StateDir, testLog(t)), d.Open(t.Context()))

			if err != nil || d.Adopted() || d.Pid() == stranger.Pid() {
				t.Errorf("got process %d, adopted %v, error %v; want a new process", d.Pid(), d.Adopted(), err)
			}
			if !alive(stranger.Pid()) {
				t.Errorf("the stranger %d was signalled, want it left alone", stranger.Pid())
			}
		})
	}
}

func TestDaemon_ExecutableReplacedByAnUpgradeIsStillAdopted(t *testing.T) {
	root := testkit.ShortDir(t)
	spec := sleeper(root, "a")
	binary, err := os.ReadFile(spec.Path)
	if err != nil {
		t.Fatalf("read %s: %v", spec.Path, err)
	}
	spec.Path = filepath.Join(root, "sleep")
	if err := os.WriteFile(spec.Path, binary, 0o700); err != nil {
		t.Fatalf("copy the executable: %v", err)
	}
	first := open(t, spec)
	if err := atomicfile.Write(spec.Path, binary, 0o600); err != nil {
		t.Fatalf("replace the executable: %v", err)
	}

	second := open(t, spec)

	if second.Pid() != first.Pid() {
		t.Errorf("got process %d, want %d adopted", second.Pid(), first.Pid())
	}
}

func TestDaemon_AnotherDataDirectoryIsRefused(t *testing.T) {
	root := testkit.ShortDir(t)
	first := open(t, sleeper(root, "a"))
	spec := sleeper(root, "a")
	spec.Dir = filepath.Join(root, "elsewhere")

	err := newDaemon(t, spec).Open(t.Context())

	if err == nil || !strings.Contains(err.Error(), first.spec.Dir) || !strings.Contains(err.Error(), spec.Dir) {
		t.Errorf("got error %v, want one that names both directories", err)
	}
	if !alive(first.Pid()) {
		t.Errorf("the first daemon ended, want it left alone")
	}
}

func TestDaemon_StartThatFailsShowsTheEndOfTheLog(t *testing.T) {
	spec := sleeper(testkit.ShortDir(t), "a")
	spec.Args = []string{"--no-such-option"}
	spec.Ready = func(context.Context) error { return errors.New("not up") }

	err := newDaemon(t, spec).Open(t.Context())

	for _, want := range []string{"exit status 1", "no-such-option", spec.LogPath} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one with %q", err, want)
		}
	}
}

func TestDaemon_NotReadyInTimeIsAnErrorAndLeftAlone(t *testing.T) {
	spec := sleeper(testkit.ShortDir(t), "a")
	spec.ReadyTimeout = 50 * time.Millisecond
	spec.Ready = func(context.Context) error { return errors.New("still loading") }
	d := newDaemon(t, spec)

	err := d.Open(t.Context())

	if err == nil || !strings.Contains(err.Error(), "still loading") {
		t.Errorf("got error %v, want the last answer of Ready in it", err)
	}
	if !alive(d.Pid()) {
		t.Errorf("the daemon was ended, want it left to get ready")
	}
}

func TestDaemon_EnvironmentIsMinimal(t *testing.T) {
	t.Setenv("AORTA_SECRET", "canary")
	spec := sleeper(testkit.ShortDir(t), "a")
	spec.Env = []string{"GIVEN=1"}

	d := open(t, spec)

	got, err := os.ReadFile(procPath(d.Pid(), "environ"))
	if err != nil || strings.Contains(string(got), "canary") || !strings.Contains(string(got), "GIVEN=1") {
		t.Errorf("got environment %q (%v), want what is given and nothing secret", got, err)
	}
}

func TestDaemon_SignalWithoutAProcessIsAnError(t *testing.T) {
	d := newDaemon(t, sleeper(testkit.ShortDir(t), "a"))

	err := d.Signal(syscall.SIGHUP)

	if !errors.Is(err, ErrNotRunning) {
		t.Errorf("got %v, want ErrNotRunning", err)
	}
}
