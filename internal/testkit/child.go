package testkit

import (
	"os/exec"
	"runtime"
	"syscall"
	"testing"
)

// EndWhole has the context of cmd end all that cmd has started, too: what git starts has
// git's output open, for which whoever runs git waits.
func EndWhole(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// StartChild starts cmd so that it is killed when the test process dies, and
// reaps it in the background. The returned channel is closed once the child is
// gone. It is killed at the end of the test if it still lives.
//
// The parent-death signal fires when the *thread* that forked ends, so a
// goroutine locked to its thread starts the child and waits for it.
func StartChild(tb testing.TB, cmd *exec.Cmd) <-chan struct{} {
	tb.Helper()
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	started := make(chan error)
	gone := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer close(gone)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		tb.Fatalf("start %s: %v", cmd.Path, err)
	}
	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-gone
	})
	return gone
}
