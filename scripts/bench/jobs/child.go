package main

import (
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
)

// child is a process that this one started and that dies with it.
type child struct {
	cmd  *exec.Cmd
	gone chan struct{} // closed when it has ended
	err  error         // of Wait; read after gone
}

// startChild starts cmd and reaps it in the background. The signal of a parent's
// death is sent when the *thread* that forked ends, so a goroutine locked to its
// thread starts the child and waits for it.
func startChild(cmd *exec.Cmd) (*child, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	c := &child{cmd: cmd, gone: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer close(c.gone)
		err := cmd.Start()
		started <- err
		if err == nil {
			c.err = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return c, nil
}

// runChild starts cmd and waits for its end.
func runChild(cmd *exec.Cmd) error {
	c, err := startChild(cmd)
	if err != nil {
		return err
	}
	<-c.gone
	return c.err
}

// kill ends the child as kill -9 does and waits until it is gone. False: it had
// ended by itself before.
func (c *child) kill() bool {
	select {
	case <-c.gone:
		return false
	default:
	}
	_ = c.cmd.Process.Kill()
	<-c.gone
	return true
}
