package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"aorta/internal/pause"
)

// groupsRoot is where the kernel's control groups are mounted.
const groupsRoot = "/sys/fs/cgroup"

// group is a control group by its path below the root, of a lab or of a host: what
// is in it is the lab's, whatever its number is.
type group string

// unified says whether control groups are of version 2.
func unified() bool {
	_, err := os.Stat(filepath.Join(groupsRoot, "cgroup.controllers"))
	return err == nil
}

// dir is where the kernel tells of the group: in version 1 among those of memory,
// in which a lab's processes are together.
func (g group) dir() string {
	if unified() {
		return filepath.Join(groupsRoot, string(g))
	}
	return filepath.Join(groupsRoot, "memory", string(g))
}

// daemons is the group of a host's daemons. Those of its containers are beside it,
// since a group of version 2 has processes or groups.
func (g group) daemons() group { return g + "/daemons" }

// containers is the group in which a host's engine makes those of its containers.
func (g group) containers() group { return g + "/containers" }

// make makes the group of a host, which may have so much memory (0: any).
func (g group) make(memory int64) error {
	if err := os.MkdirAll(g.daemons().dir(), 0o755); err != nil {
		return fmt.Errorf("make a control group (scripts/engine.sh start mounts them where nobody has): %w", err)
	}
	limit := "memory.limit_in_bytes"
	if unified() {
		limit = "memory.max"
		g.delegate()
	}
	if memory == 0 {
		return nil
	}
	if err := os.WriteFile(filepath.Join(g.dir(), limit), []byte(strconv.FormatInt(memory, 10)), 0); err != nil {
		return fmt.Errorf("bound the memory of %s: %w", g, err)
	}
	return nil
}

// delegate lets each group on the way bound those below it, which version 2 leaves
// to be said. What can't be bounded there is not bounded.
func (g group) delegate() {
	at := groupsRoot
	for _, part := range append(strings.Split(string(g), "/"), "") {
		_ = os.WriteFile(filepath.Join(at, "cgroup.subtree_control"), []byte("+memory +pids +cpu"), 0)
		at = filepath.Join(at, part)
	}
}

// take makes a command that the calling thread starts begin among the group's
// daemons. done is to be called once it has started.
func (g group) take(cmd *exec.Cmd) (done func(), err error) {
	if !unified() { // threads are in groups of their own there, and their children with them
		err := os.WriteFile(filepath.Join(g.daemons().dir(), "tasks"), []byte(strconv.Itoa(unix.Gettid())), 0)
		return func() {}, err
	}
	dir, err := os.Open(g.daemons().dir())
	if err != nil {
		return nil, err
	}
	cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(dir.Fd())
	return func() { _ = dir.Close() }, nil
}

// processes are the ids of those in the group and in all below it.
func (g group) processes() ([]int, error) {
	var pids []int
	err := filepath.WalkDir(g.dir(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() != "cgroup.procs" {
			return absent(err)
		}
		raw, err := os.ReadFile(path)
		for word := range strings.FieldsSeq(string(raw)) {
			if pid, err := strconv.Atoi(word); err == nil && pid != os.Getpid() { // a thread of ours may be on its way in
				pids = append(pids, pid)
			}
		}
		return absent(err)
	})
	return pids, err
}

// absent drops what the kernel says of a group that has just gone.
func absent(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENODEV) {
		return nil
	}
	return err
}

// kill ends all in the group at once, as a loss of power does: first everybody
// stands still, so that nobody sees another one end.
func (g group) kill(ctx context.Context) error {
	still := map[int]bool{}
	for {
		pids, err := g.processes()
		if err != nil {
			return fmt.Errorf("end what is in %s: %w", g, err)
		}
		if len(pids) == 0 {
			return nil
		}
		signal := unix.SIGSTOP
		if !slices.ContainsFunc(pids, func(pid int) bool { return !still[pid] }) {
			signal = unix.SIGKILL
		}
		for _, pid := range pids {
			still[pid] = true
			if err := g.signal(pid, signal); err != nil {
				return err
			}
		}
		if signal == unix.SIGKILL && !pause.For(ctx, 5*time.Millisecond) {
			return fmt.Errorf("processes %v of %s do not end: %w", pids, g, context.Cause(ctx))
		}
	}
}

// signal reaches a process of the group or nobody: its number may be another's by now.
func (g group) signal(pid int, sig unix.Signal) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil // it has ended
	}
	defer func() { _ = unix.Close(fd) }()
	if !g.holds(pid) {
		return nil
	}
	if err := unix.PidfdSendSignal(fd, sig, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("send %s to process %d of %s: %w", unix.SignalName(sig), pid, g, err)
	}
	return nil
}

// holds says whether the process is in the group, or in one below it.
func (g group) holds(pid int) bool {
	raw, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	for line := range strings.Lines(string(raw)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) == 3 && strings.HasPrefix(parts[2]+"/", "/"+string(g)+"/") {
			return true
		}
	}
	return false
}

// remove removes the group with all below it, wherever an engine made one of its
// name. Nobody is left in it.
func (g group) remove(ctx context.Context) error {
	roots, err := filepath.Glob(filepath.Join(groupsRoot, "*", string(g)))
	if err != nil {
		return err
	}
	for _, root := range append(roots, filepath.Join(groupsRoot, string(g))) {
		for {
			err := removeTree(root)
			if err == nil {
				break
			}
			// What has just ended leaves its group a moment later.
			if !errors.Is(err, unix.EBUSY) || !pause.For(ctx, 5*time.Millisecond) {
				return fmt.Errorf("remove a control group: %w", err)
			}
		}
	}
	return nil
}

// removeTree removes groups, the lowest first; their files go with them.
func removeTree(root string) error {
	var dirs []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		return absent(err)
	})
	if err != nil {
		return err
	}
	for _, dir := range slices.Backward(dirs) {
		if err := unix.Rmdir(dir); err != nil && !errors.Is(err, unix.ENOENT) {
			return &fs.PathError{Op: "rmdir", Path: dir, Err: err}
		}
	}
	return nil
}

// memory is how much the group uses.
func (g group) memory() int64 {
	name := "memory.usage_in_bytes"
	if unified() {
		name = "memory.current"
	}
	raw, _ := os.ReadFile(filepath.Join(g.dir(), name))
	used, _ := strconv.ParseInt(strings.TrimSpace(string(raw)), 10, 64)
	return used
}
