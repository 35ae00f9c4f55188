package procs

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"aorta/internal/testkit"
)

// Who stands still lives, and is found out by its use until it goes on.
func TestDaemon_HeedsUnlessItStandsStill(t *testing.T) {
	root := testkit.ShortDir(t)
	d := open(t, actor(t, root, "parent", "child"))

	before := d.Heeds(t.Context())
	testkit.Must(t, d.Signal(syscall.SIGSTOP))
	testkit.Eventually(t, "one that stands still to be found out", func() bool {
		return errors.Is(d.Heeds(testkit.EndedBy(t, time.Second)), ErrHeedless)
	})
	testkit.Must(t, d.Signal(syscall.SIGCONT))
	after := d.Heeds(t.Context())

	if before != nil || after != nil {
		t.Errorf("got %v before, and %v of one that goes on again; want neither", before, after)
	}
	if err := newDaemon(t, sleeper(root, "other")).Heeds(t.Context()); !errors.Is(err, ErrNotRunning) {
		t.Errorf("got %v of one that does not run, want ErrNotRunning", err)
	}
}
