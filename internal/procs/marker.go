package procs

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// Environment variables that every managed daemon starts with. Redis and nginx
// overwrite them with their process title, hence the marker file beside them.
const (
	envDaemon   = "AORTA_DAEMON"
	envDataDir  = "AORTA_DATA_DIR"
	envStateDir = "AORTA_STATE_DIR"
)

// marker is what a daemon and its descendants carry from the start on: an
// empty file in the state directory that they hold open, and an environment.
// It finds a daemon without a record and proves whose a process is.
type marker struct {
	name     string
	dir      string // "" when a broken record doesn't tell
	stateDir string
}

func (m marker) path() string { return filepath.Join(m.stateDir, m.name+".mark") }

func (m marker) env() []string {
	env := []string{envDaemon + "=" + m.name, envStateDir + "=" + m.stateDir}
	if m.dir != "" {
		env = append(env, envDataDir+"="+m.dir)
	}
	return env
}

// open opens the marker file for a child to inherit.
func (m marker) open() (*os.File, error) {
	f, err := os.OpenFile(m.path(), os.O_RDONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open marker of daemon %s: %w", m.name, err)
	}
	return f, nil
}

// onProcess reports whether the process carries the marker.
func (m marker) onProcess(pid int) bool {
	return m.holdsFile(pid) || m.inEnvironment(pid)
}

func (m marker) holdsFile(pid int) bool {
	want, err := os.Stat(m.path())
	if err != nil {
		return false
	}
	fds, err := os.ReadDir(procPath(pid, "fd"))
	if err != nil {
		return false
	}
	for _, fd := range fds {
		if got, err := os.Stat(procPath(pid, "fd", fd.Name())); err == nil && os.SameFile(got, want) {
			return true
		}
	}
	return false
}

func (m marker) inEnvironment(pid int) bool {
	b, err := os.ReadFile(procPath(pid, "environ"))
	if err != nil {
		return false
	}
	b = append([]byte{0}, b...)
	for _, kv := range m.env() {
		if !bytes.Contains(b, []byte("\x00"+kv+"\x00")) {
			return false
		}
	}
	return true
}

// Owns reports whether a process is the daemon with this name, whose record is
// in stateDir, or one that it started.
func Owns(stateDir, name string, pid int) bool {
	return marker{name: name, stateDir: stateDir}.onProcess(pid)
}

// worksIn reports whether dir is the working directory of the process, by
// inode, so that symbolic links don't matter.
func worksIn(pid int, dir string) bool {
	got, err := os.Stat(procPath(pid, "cwd"))
	if err != nil {
		return false
	}
	want, err := os.Stat(dir)
	return err == nil && os.SameFile(got, want)
}

// findDaemon looks through all processes for the daemon itself: it leads its
// session, which none of its own children does, runs exe (any, when empty) and
// carries the marker.
func (m marker) findDaemon(exe string) (*process, identity, error) {
	pids, err := allPids()
	if err != nil {
		return nil, identity{}, err
	}
	for _, pid := range pids {
		st, err := readStat(pid)
		if err != nil || st.session != pid {
			continue
		}
		p, id, err := m.openMarked(pid, exe)
		if err == nil {
			return p, id, nil
		}
	}
	return nil, identity{}, errNoProcess
}

// findLeftovers returns what a dead daemon left behind, such as nginx's workers,
// which go on holding its listeners: marked processes that lead no session. Only
// those that run exe (any, when empty) count, so that a child of ours between
// fork and exec is never among them.
func (m marker) findLeftovers(exe string) ([]*process, error) {
	pids, err := allPids()
	if err != nil {
		return nil, err
	}
	var left []*process
	for _, pid := range pids {
		st, err := readStat(pid)
		if err != nil || st.session == pid || pid == os.Getpid() {
			continue
		}
		if p, _, err := m.openMarked(pid, exe); err == nil {
			left = append(left, p)
		}
	}
	return left, nil
}

// openMarked opens the process and then checks it; that it still lives
// afterwards shows that what was read is about the process that was opened.
func (m marker) openMarked(pid int, exe string) (*process, identity, error) {
	p, err := openProcess(pid)
	if err != nil {
		return nil, identity{}, err
	}
	id, err := readIdentity(pid)
	switch {
	case err != nil:
	case exe != "" && !sameExe(exe, id.Exe):
		err = errors.New("another executable")
	case !m.onProcess(pid):
		err = errors.New("no marker")
	case p.exited():
		err = errNoProcess
	}
	if err != nil {
		p.close()
		return nil, identity{}, err
	}
	return p, id, nil
}

func allPids() ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}
