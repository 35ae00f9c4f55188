package cutoff

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"aorta/internal/cgroup"
	"aorta/internal/testkit"
)

// member is a process in a control group of its own, which has the id of a container.
type member struct {
	container string
	pid       int
	ended     chan struct{}
}

func newMember(t *testing.T, mark string) *member {
	t.Helper()
	m := &member{container: strings.Repeat(mark, 32) + strconv.Itoa(os.Getpid()), ended: make(chan struct{})}
	root := cgroup.Root
	if _, err := os.Stat(filepath.Join(root, "cgroup.controllers")); err != nil {
		root = filepath.Join(root, "pids")
	}
	group := filepath.Join(root, m.container)
	testkit.Must(t, os.Mkdir(group, 0o755))
	cmd := exec.Command("sleep", "3600")
	testkit.Must(t, cmd.Start())
	m.pid = cmd.Process.Pid
	go func() { _ = cmd.Wait(); close(m.ended) }() // ends with the process
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-m.ended
		testkit.Eventually(t, "its group to go", func() bool { return os.Remove(group) == nil })
	})
	testkit.Must(t, os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(strconv.Itoa(cmd.Process.Pid)), 0))
	return m
}

func (m *member) lives() bool {
	select {
	case <-m.ended:
		return false
	default:
		return true
	}
}

func holding(t *testing.T, list ...*member) *Guard {
	t.Helper()
	g, err := Open(filepath.Join(t.TempDir(), "cutoff"))
	testkit.Must(t, err)
	testkit.Must(t, g.Reached(Contact{Sent: Now(), After: time.Hour}))
	for i, m := range list {
		testkit.Must(t, g.Hold("i"+strconv.Itoa(i), m.container))
	}
	return g
}

// All that is held ends in one pass. While there is nothing to end, the next one has time,
// unless something else is held.
func TestEnder_PassesAgainOnceSomethingElseIsHeld(t *testing.T) {
	t.Parallel()
	first, second, other := newMember(t, "a"), newMember(t, "b"), newMember(t, "c")
	g := holding(t, first, second)
	e := NewEnder(g.Dir(), slog.New(slog.DiscardHandler))
	over := Contact{Sent: Now() - time.Hour, After: time.Minute}

	e.Look(Contact{Sent: Now(), After: time.Hour})
	early := !first.lives() || !second.lives()
	e.Look(over)
	<-first.ended
	<-second.ended
	for e.Look(over); !e.nothing; e.Look(over) { // until those that were killed have no group any more
	}
	testkit.Must(t, g.Hold("i2", other.container))
	e.Look(over)
	<-other.ended

	for _, id := range []string{"i0", "i1", "i2"} {
		if ended, told := g.Ended(id); early || !ended || told {
			t.Errorf("got %s ended early %t, marked %t, as told %t; want it marked as overdue, and in time", id, early, ended, told)
		}
	}
}

// A pass after one that found nothing waits: who runs for hours must not cost a processor.
func TestEnder_RestsWhereNothingRuns(t *testing.T) {
	t.Parallel()
	g := holding(t)
	testkit.Must(t, g.Hold("i0", strings.Repeat("d", 64)))
	e := NewEnder(g.Dir(), slog.New(slog.DiscardHandler))
	over := Contact{Sent: Now() - time.Hour, After: time.Minute}

	e.Look(over)
	e.passed += time.Hour // it was just now, whatever this machine does meanwhile
	at := e.passed
	e.Look(over)

	if e.passed != at {
		t.Error("it looked through all processes again at once")
	}
}

// What was held ends with its record: nobody would end it later.
func TestWatch_EndsWhatIsHeldWhenItsDirectoryGoes(t *testing.T) {
	t.Parallel()
	m := newMember(t, "e")
	g := holding(t, m)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	w := &watch{dir: g.Dir(), boot: g.boot, ender: NewEnder(g.Dir(), slog.New(slog.DiscardHandler))}
	w.ender.Look(g.Contact())

	testkit.Must(t, os.RemoveAll(g.Dir()))
	go func() { ended <- w.run(ctx) }()

	testkit.Must(t, <-ended)
	<-m.ended
	cancel()
}

// A contact that is being written while the first one is read is read again.
func TestWatch_ReadsItsFirstContactAgain(t *testing.T) {
	t.Parallel()
	g := holding(t)
	testkit.Must(t, g.Hold("i0", strings.Repeat("e", 64)))
	good, err := os.ReadFile(contactFile(g.Dir()))
	testkit.Must(t, err)
	testkit.Must(t, os.WriteFile(contactFile(g.Dir()), good[:40], 0o600))
	w := &watch{dir: g.Dir(), boot: g.boot}

	w.first(func() { testkit.Must(t, os.WriteFile(contactFile(g.Dir()), good, 0o600)) })

	if w.contact != g.Contact() {
		t.Errorf("got %v, want %v", w.contact, g.Contact())
	}
}

// What another process has the number of, or who has gone, can't be ended.
func TestCanEnd_OnlyWhatIsFound(t *testing.T) {
	t.Parallel()
	m := newMember(t, "9")

	can, stranger, none := CanEnd(m.pid, m.container), CanEnd(os.Getpid(), m.container), CanEnd(1<<30, m.container)

	if can != nil || stranger == nil || none == nil {
		t.Errorf("got %v, %v, %v; want the first one alone to be found", can, stranger, none)
	}
}
