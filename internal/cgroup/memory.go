package cgroup

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// OwnMemory is the memory in bytes that this process and its children can have: the
// machine's, or what the tightest of the groups around it may have together. 0 when
// even the machine's can't be read.
func OwnMemory() int64 {
	var machine unix.Sysinfo_t
	_ = unix.Sysinfo(&machine) // zero is what is not known
	return memoryWithin(Proc, Root, int64(machine.Totalram)*int64(machine.Unit))
}

// memoryWithin is the least of what there is and the limits of this process's groups,
// from its own up to the root. What can't be read limits nothing.
func memoryWithin(proc, root string, most int64) int64 {
	text, err := os.ReadFile(filepath.Join(proc, "self", "cgroup"))
	if err != nil {
		return most
	}
	paths, controller, file := pathsIn(string(text)), "memory", "memory.limit_in_bytes"
	if isUnified(root) {
		controller, file = "", "memory.max"
	} else {
		root = filepath.Join(root, controller)
	}
	path, member := paths[controller]
	if !member {
		return most
	}
	// In a container the path may be as the machine sees it, and root is the group itself.
	for dir := filepath.Clean("/" + path); ; dir = filepath.Dir(dir) {
		limit, err := os.ReadFile(filepath.Join(root, dir, file))
		if n, wrong := strconv.ParseInt(strings.TrimSpace(string(limit)), 10, 64); err == nil && wrong == nil { // "max": none
			most = min(most, n)
		}
		if dir == "/" {
			return most
		}
	}
}
