package heart

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"aorta/internal/cgroup"
)

// process is what a heart notes of an instance's container while it runs, to find
// both again: the container under another name, the process without the engine.
type process struct {
	Container string `json:"container"` // the engine's own id of it
	Pid       int    `json:"pid"`
	Signal    string `json:"signal"` // that asks it to end
}

// forgottenPause is the time between two looks at a process that is asked to end.
const forgottenPause = 100 * time.Millisecond

// endForgotten ends the process of a container that the engine does not know any
// more, as after the loss of its data: it would go on beside the one that is started
// in its place. It gives the time until the next look, and 0 once there is none.
func (r *runner) endForgotten(rec record) time.Duration {
	fd, lives, err := rec.Process.open()
	if err != nil {
		r.h.log.Error("can't end the process of a container that the engine has forgotten", "instance", r.id, "pid", rec.Process.Pid, "err", err)
	}
	if !lives {
		r.forgottenAt = time.Time{}
		return 0
	}
	defer func() { _ = unix.Close(fd) }()
	signal := unix.Signal(0)
	switch {
	case r.forgottenAt.IsZero():
		r.forgottenAt = time.Now()
		signal = rec.Process.signal()
		r.h.log.Warn("the engine has forgotten a container whose process lives on; it is asked to end", "instance", r.id, "pid", rec.Process.Pid)
		r.h.shipper.AddSystemLine(r.target(rec), "its Docker engine has forgotten its container, and its process lives on: it is stopped")
	case time.Since(r.forgottenAt) >= rec.Spec.Grace():
		signal = unix.SIGKILL
	}
	if err := unix.PidfdSendSignal(fd, signal, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		r.h.log.Error("can't end the process of a container that the engine has forgotten", "instance", r.id, "pid", rec.Process.Pid, "err", err)
	}
	return forgottenPause
}

// open holds the process if it lives and is still that container's: its control
// group says so. A process of another machine may have the same number here.
func (p process) open() (fd int, lives bool, err error) {
	if p.Pid == 0 {
		return 0, false, nil
	}
	fd, err = unix.PidfdOpen(p.Pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("open process %d: %w", p.Pid, err)
	}
	_, err = cgroup.OfProcess(cgroup.Proc, cgroup.Root, p.Pid, p.Container)
	if err == nil {
		return fd, true, nil
	}
	_ = unix.Close(fd)
	if errors.Is(err, cgroup.ErrNone) || errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return 0, false, err
}

// signal is the one by name or number that the image asks to be ended by.
func (p process) signal() unix.Signal {
	if s := unix.SignalNum(p.Signal); s != 0 {
		return s
	}
	return unix.SIGTERM
}
