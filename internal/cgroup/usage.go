package cgroup

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Usage is what the processes of a group use.
type Usage struct {
	Memory int64         // bytes, without the page cache that the kernel can reclaim
	CPU    time.Duration // processor time since the group was made, of all cores
}

// OfProcess returns the group of a process, by its number and a part of the
// group's path: a process of another machine may have the same number here.
func OfProcess(proc, root string, pid int, part string) (Group, error) {
	text, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "cgroup"))
	if err != nil {
		return Group{}, gone(err)
	}
	paths := pathsIn(string(text))
	if isUnified(root) {
		dir, err := known(root, paths[""], part)
		return Group{memory: dir, account: dir, around: around(proc, root, "", paths[""]), unified: true}, err
	}
	memory, err := known(filepath.Join(root, "memory"), paths["memory"], part)
	if err != nil {
		return Group{}, err
	}
	account, err := known(filepath.Join(root, "cpuacct"), paths["cpuacct"], part)
	return Group{memory: memory, account: account, around: around(proc, filepath.Join(root, "cpu"), "cpu", paths["cpu"])}, err
}

// pathsIn reads a process's file of groups: the path of each controller, and under
// the empty name that of version 2.
func pathsIn(text string) map[string]string {
	paths := map[string]string{}
	for line := range strings.Lines(text) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) < 3 {
			continue
		}
		for controller := range strings.SplitSeq(fields[1], ",") {
			paths[controller] = fields[2]
		}
	}
	return paths
}

// known is the directory of a path, if that has the part and is to be seen from here.
func known(root, path, part string) (string, error) {
	if part == "" || !strings.Contains(path, part) {
		return "", ErrNone
	}
	dir := filepath.Join(root, path)
	if _, err := os.Stat(dir); err != nil {
		return "", gone(err)
	}
	return dir, nil
}

// Usage reads what the group uses now.
func (g Group) Usage() (Usage, error) {
	if g.unified {
		return g.read(names{memory: "memory.current", cache: "inactive_file", cpu: "cpu.stat", cpuField: "usage_usec", unit: time.Microsecond})
	}
	return g.read(names{memory: "memory.usage_in_bytes", cache: "total_inactive_file", cpu: "cpuacct.usage", unit: time.Nanosecond})
}

// names are where a version keeps the numbers.
type names struct {
	memory, cache string
	cpu, cpuField string // an empty field: the file is the number
	unit          time.Duration
}

func (g Group) read(n names) (Usage, error) {
	used, err := number(filepath.Join(g.memory, n.memory), "")
	if err != nil {
		return Usage{}, err
	}
	cache, err := number(filepath.Join(g.memory, "memory.stat"), n.cache)
	if err != nil {
		return Usage{}, err
	}
	cpu, err := number(filepath.Join(g.account, n.cpu), n.cpuField)
	return Usage{Memory: used - min(cache, used), CPU: time.Duration(cpu) * n.unit}, err
}

// number reads a file that is a number, or one of its fields, a line each.
func number(path, field string) (int64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, gone(err)
	}
	for line := range strings.Lines(string(text)) {
		value := strings.TrimSpace(line)
		if field != "" {
			var is bool
			if value, is = strings.CutPrefix(value, field+" "); !is {
				continue
			}
		}
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n < 0 {
			return 0, fmt.Errorf("%s: %.40q is not a number", path, value)
		}
		return n, nil
	}
	return 0, fmt.Errorf("%s has no %s", path, field)
}
