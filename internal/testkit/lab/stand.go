package lab

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// executable tells a program of a host by its command line.
type executable struct {
	name string
	runs func(h *Host, cmdline []byte) bool
}

var (
	theDaemon = executable{"aortad", func(h *Host, cmdline []byte) bool {
		return bytes.HasPrefix(cmdline, []byte(h.daemon()+"\x00run\x00")) || bytes.HasPrefix(cmdline, []byte(h.daemon()+"\x00join\x00"))
	}}
	theEngine = executable{"Docker engine", func(_ *Host, cmdline []byte) bool { return bytes.HasPrefix(cmdline, []byte("dockerd\x00")) }}
)

// FreezeDaemon has the host's aortad stand still, as `kill -STOP` does: it keeps its
// connections and does nothing. Redis, nginx and containers go on.
func (h *Host) FreezeDaemon() error { return h.signal(theDaemon, unix.SIGSTOP) }

// ThawDaemon has it go on.
func (h *Host) ThawDaemon() error { return h.signal(theDaemon, unix.SIGCONT) }

// FreezeEngine has the host's Docker engine stand still; its containers go on.
func (h *Host) FreezeEngine() error { return h.signal(theEngine, unix.SIGSTOP) }

// ThawEngine has it go on.
func (h *Host) ThawEngine() error { return h.signal(theEngine, unix.SIGCONT) }

// KillEngine ends the host's Docker engine as `kill -9` does; its containers go on.
func (h *Host) KillEngine(ctx context.Context) error { return h.end(ctx, theEngine, unix.SIGKILL) }

// StopEngine ends it as a service manager does; its containers go on here, too.
func (h *Host) StopEngine(ctx context.Context) error { return h.end(ctx, theEngine, unix.SIGTERM) }

// pids are the processes of a program on the host; there is one at least.
func (h *Host) pids(of executable) ([]int, error) {
	pids, err := h.group.daemons().processes()
	pids = slices.DeleteFunc(pids, func(pid int) bool {
		cmdline, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		return !of.runs(h, cmdline)
	})
	if err == nil && len(pids) == 0 {
		err = fmt.Errorf("no %s runs on %s", of.name, h.Name)
	}
	return pids, err
}

func (h *Host) signal(to executable, sig unix.Signal) error {
	pids, err := h.pids(to)
	if err != nil {
		return err
	}
	return h.signalAll(pids, sig)
}

func (h *Host) signalAll(pids []int, sig unix.Signal) error {
	for _, pid := range pids {
		if err := h.group.signal(pid, sig); err != nil {
			return err
		}
	}
	return nil
}

// end sends a signal by which a program ends, and waits until it has.
func (h *Host) end(ctx context.Context, what executable, sig unix.Signal) error {
	pids, err := h.pids(what)
	if err != nil {
		return err
	}
	if err := h.signalAll(pids, sig); err != nil {
		return err
	}
	return until(ctx, fmt.Sprintf("processes %v of %s end", pids, h.Name), func() (bool, error) {
		now, err := h.group.processes()
		return !slices.ContainsFunc(pids, func(pid int) bool { return slices.Contains(now, pid) }), err
	})
}
