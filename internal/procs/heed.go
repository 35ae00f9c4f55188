package procs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"aorta/internal/pause"
)

const heedPoll = 20 * time.Millisecond

// ErrHeedless: the daemon lives, and takes no signal: somebody has stopped it, or
// it hangs.
var ErrHeedless = errors.New("it takes no signals")

// Heeds uses a daemon that waits for the end of its children, as a server with
// workers does: it tells it that one may have ended, which changes nothing, and
// waits until that is taken. A process that doesn't wait for children throws the
// signal away, also while it stands still: of that one, nothing is learnt.
// ErrHeedless when ctx ends before, ErrNotRunning when there is none.
func (d *Daemon) Heeds(ctx context.Context) error {
	p := d.process()
	if p == nil {
		return fmt.Errorf("use %s: %w", d.spec.Name, ErrNotRunning)
	}
	if err := p.signal(syscall.SIGCHLD); err != nil {
		return fmt.Errorf("use %s: %w", d.spec.Name, errors.Join(ErrNotRunning, err))
	}
	for {
		waits, err := waitingFor(p.pid, syscall.SIGCHLD)
		if err != nil || !waits {
			return err
		}
		if !pause.For(ctx, heedPoll) {
			return fmt.Errorf("use %s, process %d: %w", d.spec.Name, p.pid, ErrHeedless)
		}
	}
}

// waitingFor says whether a signal was sent to the process that it has not taken.
func waitingFor(pid int, sig syscall.Signal) (bool, error) {
	status, err := os.ReadFile(procPath(pid, "status"))
	if err != nil {
		return false, fmt.Errorf("read state of process %d: %w", pid, errNoProcess)
	}
	_, rest, found := bytes.Cut(status, []byte("\nShdPnd:\t"))
	word, _, _ := bytes.Cut(rest, []byte("\n"))
	mask, err := strconv.ParseUint(string(word), 16, 64)
	if !found || err != nil {
		return false, fmt.Errorf("read state of process %d: no signals that it has not taken (ShdPnd) in it", pid)
	}
	return mask&(1<<(sig-1)) != 0, nil
}
