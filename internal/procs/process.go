package procs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// process is one process held by a pidfd: signals reach it or nobody, whatever
// becomes of its number.
type process struct {
	pid  int
	fd   *os.File
	reap func() string // set for our own children: collects the exit status
}

func openProcess(pid int) (*process, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) || errors.Is(err, unix.EINVAL) {
		return nil, fmt.Errorf("open process %d: %w", pid, errNoProcess)
	}
	if err != nil {
		return nil, fmt.Errorf("open process %d: %w", pid, err)
	}
	// A non-blocking descriptor goes to the runtime's poller, so that waiting
	// costs no thread.
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("open process %d: %w", pid, err)
	}
	return &process{pid: pid, fd: os.NewFile(uintptr(fd), fmt.Sprintf("pidfd:%d", pid))}, nil
}

func (p *process) close() { _ = p.fd.Close() }

// signal sends sig; a process that has ended is errNoProcess.
func (p *process) signal(sig syscall.Signal) error {
	var sendErr error
	err := p.control(func(fd int) {
		sendErr = unix.PidfdSendSignal(fd, sig, nil, 0)
	})
	if err == nil {
		err = sendErr
	}
	if errors.Is(err, unix.ESRCH) {
		err = errNoProcess
	}
	if err != nil {
		return fmt.Errorf("send %s to process %d: %w", unix.SignalName(sig), p.pid, err)
	}
	return nil
}

// exited reports whether the process has ended, also as a zombie.
func (p *process) exited() bool {
	done := false
	err := p.control(func(fd int) { done = readable(fd) })
	return err != nil || done
}

// wait blocks until the process has ended or ctx is done. Any number may wait:
// each has a descriptor of its own.
func (p *process) wait(ctx context.Context) error {
	watch, err := p.dup()
	if err != nil {
		return err
	}
	defer func() { _ = watch.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = watch.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	raw, err := watch.SyscallConn()
	if err == nil {
		err = raw.Read(func(fd uintptr) bool { return readable(int(fd)) })
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("wait for process %d: %w", p.pid, err)
	}
	return nil
}

// collect returns how the ended process ended, as far as that is known, and
// reaps it when it is our child.
func (p *process) collect() string {
	if p.reap == nil {
		return "exit status unknown (not our child)"
	}
	return p.reap()
}

func (p *process) dup() (*os.File, error) {
	dup, dupErr := -1, error(nil)
	err := p.control(func(fd int) {
		dup, dupErr = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	})
	if err = errors.Join(err, dupErr); err != nil {
		return nil, fmt.Errorf("watch process %d: %w", p.pid, err)
	}
	return os.NewFile(uintptr(dup), p.fd.Name()), nil
}

func (p *process) control(do func(fd int)) error {
	raw, err := p.fd.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Control(func(fd uintptr) { do(int(fd)) })
}

func readable(fd int) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n == 1
}

// reaper makes a reap function out of a Wait that may be called once.
func reaper(wait func() error) func() string {
	return sync.OnceValue(func() string {
		if err := wait(); err != nil {
			return err.Error()
		}
		return "exit status 0"
	})
}
