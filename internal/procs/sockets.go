package procs

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// keepSockets takes the TCP sockets on which what a dead daemon left still
// listens, so that the next one goes on with them: nobody is refused meanwhile.
// Who may not look into other processes keeps none, and then some are. After a
// failed start none is kept, as one of them may be why.
func (d *Daemon) keepSockets() []*os.File {
	if d.spec.SocketsEnv == "" || d.failed > 0 {
		return nil
	}
	left, err := d.marker.findLeftovers("")
	if err != nil {
		d.log.Warn("sockets of a dead daemon can't be looked for", "error", err)
		return nil
	}
	kept := map[string]*os.File{} // by what the kernel calls them
	for _, p := range left {
		if err := p.listening(kept); err != nil {
			d.log.Warn("sockets of a dead daemon are lost; connections are refused until the next one listens", "pid", p.pid, "error", err)
		}
		p.close()
	}
	files := make([]*os.File, 0, len(kept))
	for _, f := range kept {
		files = append(files, f)
	}
	return files
}

// listening adds the process's listening TCP sockets to those in kept.
func (p *process) listening(kept map[string]*os.File) error {
	entries, err := os.ReadDir(procPath(p.pid, "fd"))
	if err != nil {
		return err
	}
	for _, e := range entries {
		name, err := os.Readlink(procPath(p.pid, "fd", e.Name()))
		if err != nil || !strings.HasPrefix(name, "socket:") || kept[name] != nil {
			continue
		}
		number, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		f, err := p.take(number)
		if errors.Is(err, unix.EBADF) { // closed meanwhile
			continue
		}
		if err != nil {
			return err
		}
		if listensTCP(int(f.Fd())) {
			kept[name] = f
		} else {
			_ = f.Close()
		}
	}
	return nil
}

// take gives a descriptor of ours for one of the process's.
func (p *process) take(number int) (*os.File, error) {
	var fd int
	var takeErr error
	err := p.control(func(pidfd int) { fd, takeErr = unix.PidfdGetfd(pidfd, number, 0) })
	if err = errors.Join(err, takeErr); err != nil {
		return nil, fmt.Errorf("take socket %d of process %d: %w", number, p.pid, err)
	}
	return os.NewFile(uintptr(fd), "socket"), nil
}

func listensTCP(fd int) bool {
	listens, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	if err != nil || listens != 1 {
		return false
	}
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	return err == nil && (domain == unix.AF_INET || domain == unix.AF_INET6)
}

// socketsEnv is the variable that names count descriptors from first on.
func (s Spec) socketsEnv(first, count int) []string {
	if count == 0 {
		return nil
	}
	var list strings.Builder
	for i := range count {
		fmt.Fprintf(&list, "%d;", first+i)
	}
	return []string{s.SocketsEnv + "=" + list.String()}
}
