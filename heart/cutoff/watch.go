package cutoff

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"aorta/internal/pause"
)

const (
	// watchEvery is how often the contact is read at least: a machine may have slept.
	watchEvery = time.Second
	// killEvery is how often it is looked for what runs once it must not.
	killEvery = 50 * time.Millisecond
)

// watch is the watchdog of one directory.
type watch struct {
	dir, boot string
	log       *slog.Logger
	contact   Contact         // that was read last
	told      map[string]bool // instances of which it was said that they are ended, since the last contact
}

// Watch kills what is held in a directory whenever the pacemaker was not reached for too
// long, and all of it when ctx ends, as when the node's daemons are stopped: nobody would
// end it later. It returns once it has, or when the directory, which has to be there, is gone.
func Watch(ctx context.Context, dir string, log *slog.Logger) error {
	boot, err := bootID()
	if err != nil {
		return err
	}
	w := &watch{dir: dir, boot: boot, log: log, told: map[string]bool{}}
	for {
		if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
			return nil
		}
		wait := w.look()
		if !pause.For(ctx, wait) {
			w.end("it was told to end")
			return nil
		}
	}
}

// look does what is due, and gives the time until the next look.
func (w *watch) look() time.Duration {
	if c, err := readContact(w.dir, w.boot); err == nil {
		w.contact = c // else the one of before stands, and runs out
	}
	left := w.contact.KillAt() - Now()
	if left > 0 {
		clear(w.told)
		return min(left, watchEvery)
	}
	w.end("the pacemaker was not reached for " + (w.contact.After - w.contact.margin()/5).String())
	return killEvery
}

// end kills what is held, and marks that it has.
func (w *watch) end(why string) {
	list, err := held(w.dir)
	if err != nil {
		w.log.Error("what is held can't be read", "err", err)
	}
	for instance, container := range list {
		n, err := kill(container)
		if n > 0 {
			err = errors.Join(err, mark(endedFile(w.dir, instance)))
		}
		if n == 0 && err == nil || w.told[instance] { // one that is frozen ends once it goes on
			continue
		}
		w.told[instance] = true
		w.log.Warn("an instance was ended", "instance", instance, "processes", n, "why", why, "err", err)
	}
}

// mark makes a file that says that an instance was ended. Without it, its heart takes that
// for a crash.
func mark(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	return os.WriteFile(path, nil, 0o600)
}

// kill sends SIGKILL to all processes of a container, and says to how many. Their control
// group is known by the container's id, whoever made it.
func kill(container string) (n int, err error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || !isOf(pid, container) {
			continue
		}
		if err := killProcess(pid, container); err != nil {
			errs = append(errs, err)
			continue
		}
		n++
	}
	return n, errors.Join(errs...)
}

func isOf(pid int, container string) bool {
	groups, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cgroup"))
	return err == nil && strings.Contains(string(groups), container)
}

// killProcess does so if the process is still the container's once it is held: its number
// may be another one's by then.
func killProcess(pid int, container string) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	if !isOf(pid, container) {
		return nil
	}
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return err
	}
	return nil
}
