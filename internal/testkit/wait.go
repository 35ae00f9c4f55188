package testkit

import (
	"context"
	"os"
	"testing"
	"time"
)

// Hang is what no step of a test takes, on the slowest machine: a
// wait that is longer has hung. It is the one deadline of all tests. It ends
// them, and says nothing of how quick anything has to be: what must be quick has
// a benchmark.
const Hang = 3 * time.Minute

// Eventually polls cond until it returns true, and fails the test with what was
// waited for when it hangs. Between two looks are 5 ms, or three times what a
// look takes (but a quarter of a second at most): one that runs a program would else
// keep from work what it waits for.
func Eventually(tb testing.TB, what string, cond func() bool) {
	tb.Helper()
	deadline := time.NewTimer(Hang)
	defer deadline.Stop()
	for {
		begun := time.Now()
		if cond() {
			return
		}
		select {
		case <-deadline.C:
			tb.Fatalf("waited %s in vain: %s", Hang, what)
		case <-time.After(min(max(5*time.Millisecond, 3*time.Since(begun)), time.Second/4)):
		}
	}
}

// Receive gives what comes next on a channel, its zero value when it is closed,
// and fails the test with what was waited for when nothing comes.
func Receive[T any](tb testing.TB, what string, from <-chan T) T {
	tb.Helper()
	deadline := time.NewTimer(Hang)
	defer deadline.Stop()
	select {
	case v := <-from:
		return v
	case <-deadline.C:
		tb.Fatalf("waited %s in vain: %s", Hang, what)
		panic("unreachable")
	}
}

// Bounded is the test's context, which ends when a step of it hangs.
func Bounded(tb testing.TB) context.Context {
	tb.Helper()
	return BoundedBy(tb, tb.Context())
}

// BoundedBy is Bounded of another context: the test's own has ended when its
// clean-up runs.
func BoundedBy(tb testing.TB, parent context.Context) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(parent, Hang)
	tb.Cleanup(cancel)
	return ctx
}

// EndedBy is the test's context, which ends after a time: for a call that is to
// be ended by its context. Whatever the time is, the outcome must be the same.
func EndedBy(tb testing.TB, d time.Duration) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), d)
	tb.Cleanup(cancel)
	return ctx
}

// ShortDir makes a directory with a path short enough for unix sockets (the
// path of a socket holds 108 bytes, and t.TempDir spends most of them on the
// test's name). Other users may enter it, as nginx's workers must.
func ShortDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("/tmp", "ao")
	if err != nil {
		tb.Fatalf("make a short directory: %v", err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		tb.Fatalf("open %s to other users: %v", dir, err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
