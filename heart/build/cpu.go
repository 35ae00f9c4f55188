package build

import (
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// limitCPU calls over once this process has used so much processor time more than
// now, in whole seconds, unless the returned function was called before.
func limitCPU(most time.Duration, over func()) (enough func(), err error) {
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		return nil, fmt.Errorf("read the processor time of a build's process: %w", err)
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CPU, &limit); err != nil {
		return nil, fmt.Errorf("read the limits of a build's process: %w", err)
	}
	reached, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(reached, syscall.SIGXCPU)
	limit.Cur = min(limit.Max, uint64(used.Utime.Sec+used.Stime.Sec)+uint64(most/time.Second)+1)
	if err := unix.Setrlimit(unix.RLIMIT_CPU, &limit); err != nil {
		return nil, fmt.Errorf("limit the processor time of a build's process: %w", err)
	}
	go func() { // ends with the process at the latest
		select {
		case <-reached:
			over()
		case <-done:
		}
	}()
	return sync.OnceFunc(func() {
		close(done)
		limit.Cur = limit.Max
		_ = unix.Setrlimit(unix.RLIMIT_CPU, &limit) // the signal has no effect any more
	}), nil
}
