package lab

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// onThread runs f on a thread that ends with it: what f changes of its thread (its
// namespaces, its control group) holds for f and the processes that it starts.
func onThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if unix.Gettid() != unix.Getpid() {
			done <- f()
			return
		}
		// The main thread is the process itself and never ends. While it is taken, the
		// next goroutine gets another one.
		done <- onThread(f)
		runtime.UnlockOSThread()
	}()
	return <-done
}
