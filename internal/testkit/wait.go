package testkit

import (
	"os"
	"testing"
	"time"
)

// Eventually polls cond every 5 ms until it returns true, and fails the test
// with what was waited for when it has not within the limit.
func Eventually(tb testing.TB, limit time.Duration, what string, cond func() bool) {
	tb.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if cond() {
			return
		}
		select {
		case <-deadline.C:
			tb.Fatalf("waited %s in vain: %s", limit, what)
		case <-tick.C:
		}
	}
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
