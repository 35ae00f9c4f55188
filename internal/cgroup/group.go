package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Proc is where the kernel tells of processes.
const Proc = "/proc"

// Root is where the kernel's control groups are mounted.
const Root = "/sys/fs/cgroup"

// ErrNone means that there is no such group, or no longer.
var ErrNone = errors.New("no such control group")

// Limits of a group. What is 0 stays as it is.
type Limits struct {
	Memory           int64 // bytes, without swap
	CPUQuota, Period int64 // microseconds of processor time in each period
}

// Group is one control group.
type Group struct {
	memory, cpu, account string // directories; the same one in version 2
	around               string // directory of the group around it; empty: none that Prefer may change
	unified              bool   // is of version 2
}

// Find returns the group that a container runtime was given by this path. An
// absolute one begins at the root, another one somewhere below it, as the runtime
// was in a group itself.
func Find(root, path string) (Group, error) {
	if path == "" {
		return Group{}, ErrNone
	}
	if isUnified(root) {
		dir, err := within(root, path)
		return Group{memory: dir, cpu: dir, unified: true}, err
	}
	memory, err := within(filepath.Join(root, "memory"), path)
	if err != nil {
		return Group{}, err
	}
	cpu, err := within(filepath.Join(root, "cpu"), path)
	return Group{memory: memory, cpu: cpu}, err
}

// isUnified says whether the groups below root are of version 2.
func isUnified(root string) bool {
	_, err := os.Stat(filepath.Join(root, "cgroup.controllers"))
	return err == nil
}

// within looks three levels deep: the services of systemd are in the second.
func within(root, path string) (string, error) {
	patterns := []string{""}
	if !filepath.IsAbs(path) {
		patterns = []string{"", "*", "*/*"}
	}
	for _, p := range patterns {
		found, err := filepath.Glob(filepath.Join(root, p, path))
		if err != nil {
			return "", fmt.Errorf("find the control group %s: %w", path, err)
		}
		if len(found) > 0 {
			return found[0], nil
		}
	}
	return "", ErrNone
}

// Limit bounds the group. When its processes have more memory already they are
// ended, as the kernel would have ended them.
func (g Group) Limit(l Limits) error {
	if l.Memory > 0 {
		if err := g.limitMemory(l.Memory); err != nil {
			return err
		}
	}
	if l.CPUQuota > 0 {
		return g.limitCPU(l)
	}
	return nil
}

func (g Group) limitMemory(most int64) error {
	value := strconv.FormatInt(most, 10)
	if g.unified {
		// Swap is not there on every kernel.
		return errors.Join(write(g.memory, "memory.max", value), optional(write(g.memory, "memory.swap.max", "0")))
	}
	err := write(g.memory, "memory.limit_in_bytes", value)
	if errors.Is(err, unix.EBUSY) {
		return g.kill()
	}
	return errors.Join(err, optional(write(g.memory, "memory.memsw.limit_in_bytes", value)))
}

func (g Group) limitCPU(l Limits) error {
	if g.unified {
		return write(g.cpu, "cpu.max", fmt.Sprintf("%d %d", l.CPUQuota, l.Period))
	}
	if err := write(g.cpu, "cpu.cfs_period_us", strconv.FormatInt(l.Period, 10)); err != nil {
		return err
	}
	return write(g.cpu, "cpu.cfs_quota_us", strconv.FormatInt(l.CPUQuota, 10))
}

// kill ends the group's processes.
func (g Group) kill() error {
	text, err := os.ReadFile(filepath.Join(g.memory, "cgroup.procs"))
	if err != nil {
		return gone(err)
	}
	for _, word := range strings.Fields(string(text)) {
		pid, err := strconv.Atoi(word)
		if err != nil {
			return fmt.Errorf("read the processes of %s: %w", g.memory, err)
		}
		if err := unix.Kill(pid, unix.SIGKILL); err != nil && err != unix.ESRCH {
			return fmt.Errorf("end process %d of %s: %w", pid, g.memory, err)
		}
	}
	return nil
}

func write(dir, name, value string) error {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY, 0) // never makes a file
	if err != nil {
		return gone(err)
	}
	_, err = f.WriteString(value)
	return gone(errors.Join(err, f.Close()))
}

// gone turns what the kernel says of a group that was removed into ErrNone.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ESRCH) {
		return ErrNone
	}
	return err
}

// optional is for files that not every kernel has.
func optional(err error) error {
	if errors.Is(err, ErrNone) {
		return nil
	}
	return err
}
