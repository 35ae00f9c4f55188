package gitrepo

import (
	"errors"
	"fmt"
	"io"
	"os/exec"

	"golang.org/x/sys/unix"
)

// MaxMemory is how many bytes of memory of its own each git process may have. A
// pack of a few kilobytes can name an object of any size; what is no attack streams
// when it is large (core.bigFileThreshold), but for the deltas of what it changed.
const MaxMemory = 1 << 30

// ClientMemory is the same for processes that serve clients, who decide how many
// there are.
const ClientMemory = 512 << 20

// start starts git under the memory limit, which what it starts inherits. It
// reads nothing before the limit holds.
func start(cmd *exec.Cmd, memory uint64) error {
	limited := make(chan struct{})
	if cmd.Stdin != nil {
		cmd.Stdin = &held{in: cmd.Stdin, until: limited}
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer close(limited)
	limit := &unix.Rlimit{Cur: memory, Max: memory}
	err := unix.Prlimit(cmd.Process.Pid, unix.RLIMIT_DATA, limit, nil)
	if err == nil || errors.Is(err, unix.ESRCH) { // it has ended already
		return nil
	}
	_ = cmd.Cancel()
	_ = cmd.Wait()
	return fmt.Errorf("limit the memory of git: %w", err)
}

// held is a reader that gives nothing until a channel is closed.
type held struct {
	in    io.Reader
	until <-chan struct{}
}

// Read waits, and reads.
func (h *held) Read(p []byte) (int, error) {
	<-h.until
	return h.in.Read(p)
}
