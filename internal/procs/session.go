package procs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
)

// SetSessionNice gives the session of a process a nice value among other sessions, from
// -20 to 19. Each daemon has a session of its own, and a kernel that shares processor
// time by session (autogroup) heeds the nice values of processes within theirs alone.
// Where it does not, there is nothing to do.
func SetSessionNice(pid, nice int) error {
	err := os.WriteFile(procPath(pid, "autogroup"), []byte(strconv.Itoa(nice)), 0)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("set the nice value of process %d's session to %d: %w", pid, nice, err)
	}
	return nil
}

// raise gives the daemon's session its weight. The daemon works without it.
func (d *Daemon) raise(p *process) {
	if d.spec.SessionNice == 0 {
		return
	}
	if err := SetSessionNice(p.pid, d.spec.SessionNice); err != nil {
		d.log.Warn("the daemon's session keeps its weight", "error", err)
	}
}
