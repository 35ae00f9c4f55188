package procs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
)

// raise gives the daemon's session its weight among other sessions. Each daemon has
// one of its own, and a kernel that shares processor time by session (autogroup)
// heeds the nice values of processes within theirs alone. Where it does not, there is
// no such file, and nothing to do. The daemon works without it.
func (d *Daemon) raise(p *process) {
	if d.spec.SessionNice == 0 {
		return
	}
	err := os.WriteFile(procPath(p.pid, "autogroup"), []byte(strconv.Itoa(d.spec.SessionNice)), 0)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.log.Warn("the daemon's session keeps its weight", "error", fmt.Errorf("set its nice value to %d: %w", d.spec.SessionNice, err))
	}
}
