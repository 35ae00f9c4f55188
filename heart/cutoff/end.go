package cutoff

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// watchEvery is how often is looked at least: a machine may have slept.
	watchEvery = time.Second
	// killEvery is how often it is looked for what runs once it must not.
	killEvery = 50 * time.Millisecond
)

// Ender kills what is held in a directory. It asks no engine.
type Ender struct {
	dir  string
	log  *slog.Logger
	list map[string]string // what is held, as it was read last
	told map[string]bool   // instances of which it was said that they are ended, since the last contact

	// A pass over all processes costs milliseconds: after one that found nothing the next
	// one has time, unless something else is held since.
	passed  time.Duration // when the last one was, on the clock of Now
	nothing bool          // it has found nothing
	held    time.Time     // when what is held has changed last
}

// NewEnder makes one for a directory.
func NewEnder(dir string, log *slog.Logger) *Ender {
	return &Ender{dir: dir, log: log, told: map[string]bool{}}
}

// Look ends what is held if it is overdue by a contact. It gives the time until the next
// look.
func (e *Ender) Look(c Contact) time.Duration {
	left := c.KillAt() - Now()
	if left > 0 {
		e.read()
		clear(e.told)
		e.nothing = false
		return min(left, watchEvery)
	}
	if changed := e.changed(); changed || !e.nothing || Now()-e.passed >= watchEvery {
		e.read()
		e.end("the pacemaker was not reached for " + (c.After - c.margin()/5).String())
	}
	return killEvery
}

// changed says that something else is held than when it was asked last, as far as the file
// system's clock can tell.
func (e *Ender) changed() bool {
	at, err := os.Stat(heldDir(e.dir))
	if err != nil || at.ModTime().Equal(e.held) {
		return false
	}
	e.held = at.ModTime()
	return true
}

// read reads what is held. What was read before stands where that is gone or can't be read.
func (e *Ender) read() {
	list, err := held(e.dir)
	if err != nil {
		e.log.Error("what is held can't be read", "err", err)
	} else if list != nil {
		e.list = list
	}
}

// end kills what is held, and marks that it has.
func (e *Ender) end(why string) {
	killed, errs := kill(e.list)
	e.passed, e.nothing = Now(), len(killed) == 0 && len(errs) == 0
	for instance := range e.list {
		n, err := killed[instance], errs[instance]
		if n > 0 {
			err = errors.Join(err, mark(endedFile(e.dir, instance), why))
		}
		if n == 0 && err == nil || e.told[instance] { // one that is frozen ends once it goes on
			continue
		}
		e.told[instance] = true
		e.log.Warn("an instance was ended", "instance", instance, "processes", n, "why", why, "err", err)
	}
}

// toldToEnd is why a watchdog ends what is held when it ends itself.
const toldToEnd = "it was told to end"

// mark makes a file that says that an instance was ended, and why. Without it, its heart takes that
// for a crash.
func mark(path, why string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	return os.WriteFile(path, []byte(why), 0o600)
}

// kill sends SIGKILL to all processes of containers, and says to how many of each, and what
// failed. Their control group is known by the container's id, whoever made it.
func kill(list map[string]string) (killed map[string]int, failed map[string]error) {
	killed, failed = map[string]int{}, map[string]error{}
	if len(list) == 0 {
		return killed, failed
	}
	entries, err := os.ReadDir("/proc")
	for instance := range list {
		if err != nil {
			failed[instance] = err
		}
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		groups := groupsOf(pid)
		for instance, container := range list {
			if !strings.Contains(groups, container) {
				continue
			}
			if err := killProcess(pid, container); err != nil {
				failed[instance] = errors.Join(failed[instance], err)
				continue
			}
			killed[instance]++
		}
	}
	return killed, failed
}

// groupsOf are the control groups of a process; none of one that is gone.
func groupsOf(pid int) string {
	groups, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cgroup"))
	return string(groups)
}

// CanEnd checks that a container is found by its first process, as this machine numbers it,
// and may be killed.
func CanEnd(pid int, container string) error {
	if !strings.Contains(groupsOf(pid), container) {
		return fmt.Errorf("process %d here is none of its container %s, as where the engine has processes of its own", pid, container)
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return fmt.Errorf("open process %d: %w", pid, err)
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.PidfdSendSignal(fd, 0, nil, 0); err != nil {
		return fmt.Errorf("signal process %d: %w", pid, err)
	}
	return nil
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
	if !strings.Contains(groupsOf(pid), container) {
		return nil
	}
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return err
	}
	return nil
}
