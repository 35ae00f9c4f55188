package testkit

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// Inherit holds open, until the test ends, what this process has open at a path now,
// as a child of it does from its fork until its program starts.
func Inherit(tb testing.TB, path string) {
	tb.Helper()
	path, err := filepath.EvalSymlinks(path)
	Must(tb, err)
	links, _ := filepath.Glob("/proc/self/fd/*")
	for _, link := range links {
		if to, _ := os.Readlink(link); to != path {
			continue
		}
		fd, err := strconv.Atoi(filepath.Base(link))
		Must(tb, err)
		fd, err = syscall.Dup(fd)
		Must(tb, err)
		tb.Cleanup(func() { _ = syscall.Close(fd) })
		return
	}
	tb.Fatalf("this process does not have %s open", path)
}
