package main

import (
	"os"
	"syscall"
)

// crashPoint gives a hook that kills this process at one named point, the way
// `kill -9` does: the tests of what survives it are exact only so. Without a
// name it does nothing.
func crashPoint(name string) func(string) {
	if name == "" {
		return nil
	}
	return func(point string) {
		if point == name {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // the signal is on its way
		}
	}
}
