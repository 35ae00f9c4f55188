package procs

import (
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	"aorta/internal/testkit"

	"github.com/google/go-cmp/cmp"
)

func TestRecord_WrittenAndReadBack(t *testing.T) {
	dir := testkit.ShortDir(t)
	want := record{
		Name: "a", Process: identity{Pid: 7, StartTime: 9, BootID: "b", Exe: "/x"}, Path: "/x", Dir: "/d",
		StopSignal: syscall.SIGQUIT, StopTimeout: time.Second, StopOrder: -1,
	}

	err := want.write(dir)

	got, readErr := readRecord(dir, "a")
	if diff := cmp.Diff(want, got); err != nil || readErr != nil || diff != "" {
		t.Errorf("got errors %v, %v, difference (-want +got):\n%s", err, readErr, diff)
	}
	info, err := os.Stat(recordPath(dir, "a"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v (%v), want 0600", info.Mode(), err)
	}
}

func TestRecord_OfAnotherDaemonIsBroken(t *testing.T) {
	dir := testkit.ShortDir(t)
	rec := record{Name: "b", Dir: "/d", StopSignal: 15, StopTimeout: 1}
	if err := rec.write(dir); err != nil {
		t.Fatalf("write: %v", err)
	}
	if err := os.Rename(recordPath(dir, "b"), recordPath(dir, "a")); err != nil {
		t.Fatalf("rename: %v", err)
	}

	_, err := readRecord(dir, "a")

	var bad *badRecordError
	if !errors.As(err, &bad) || !errors.Is(err, errNoRecord) {
		t.Errorf("got %v, want a broken record", err)
	}
}

func FuzzParseRecord(f *testing.F) {
	f.Add([]byte(`{"name":"a","process":{"pid":2},"dir":"/d","stop_signal":15,"stop_timeout_ns":1}`))
	f.Add([]byte(`{"name":"../a"}`))
	f.Add([]byte(``))
	f.Fuzz(func(t *testing.T, b []byte) {
		rec, err := parseRecord(b)

		if err == nil && (rec.Process.Pid < 0 || rec.Process.Pid == 1 || rec.StopSignal <= 0 || !nameRule.MatchString(rec.Name)) {
			t.Errorf("got %+v from %q, want it refused", rec, b)
		}
	})
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("42 (a ) b) S 1 42 42 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 9876 0 0"))
	f.Add([]byte("1 ()"))
	f.Fuzz(func(t *testing.T, b []byte) {
		st, err := parseStat(b)

		if err == nil && st.state == 0 {
			t.Errorf("got %+v from %q, want a state", st, b)
		}
	})
}

func TestParseStat_CommandNameWithBrackets(t *testing.T) {
	got, err := parseStat([]byte("42 (a ) S 9) S 1 40 41 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 9876 0 0"))

	want := stat{state: 'S', session: 41, startTime: 9876}
	if err != nil || got != want {
		t.Errorf("got %+v (%v), want %+v", got, err, want)
	}
}
