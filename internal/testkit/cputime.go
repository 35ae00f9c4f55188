package testkit

import (
	"syscall"
	"testing"
	"time"
)

// CPUTime is what this process has used, which a busy machine hardly changes.
func CPUTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	Must(tb, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
