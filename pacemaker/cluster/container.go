package cluster

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"
)

// ContainerOptions is what a process type changes of what its container may do.
// It takes away, but for disk, and the zero value changes nothing.
type ContainerOptions struct {
	CapDrop  []string         // capabilities as CapabilityName gives them, or AllCapabilities
	ReadOnly bool             // the root file system
	Tmpfs    []Tmpfs          // file systems in memory
	Ulimits  map[string]int64 // by name, soft and hard
	ShmSize  int64            // bytes of /dev/shm; 0: 64 MiB
	Disk     int64            // bytes that an instance may write to its own files; 0: DefaultDisk
}

// DiskLimit is how many bytes an instance may write.
func (o ContainerOptions) DiskLimit() int64 { return cmp.Or(o.Disk, DefaultDisk) }

// Tmpfs is a file system in memory, which counts with the instance's memory.
type Tmpfs struct {
	Path string // absolute
	Size int64  // bytes; 0: half of the node's memory
}

// What a node can give each of its instances. An engine that may not raise its
// own limits has often no more than 20,000 open files.
const (
	MaxOpenFiles = 16384
	DefaultDisk  = 2 << 30
	minShmSize   = 64 << 10
	minDisk      = 16 << 20
	maxTmpfs     = 16
)

// ulimits are the limits that a process type may lower. Without nproc, which
// counts the processes of one user in all containers of a node.
var ulimits = []string{"core", "cpu", "data", "fsize", "nofile", "stack"}

// leastUlimits are those below which no process starts, or the engine fails to
// start one, in the units of each.
var leastUlimits = map[string]int64{"cpu": 1, "data": 1 << 20, "stack": 128 << 10}

// enginesOwn are what the engine puts into a container itself: the first process
// and the files that it writes.
var enginesOwn = []string{"/sbin", "/sbin/docker-init", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"}

// Validate checks the options as a build or a request brings them. where stands
// before the name of a key.
func (o ContainerOptions) Validate(where string) error {
	for _, name := range o.CapDrop {
		if name != AllCapabilities && !slices.Contains(capabilities, name) {
			return Invalid(where+"cap_drop", "%q is not a capability of Linux; an instance has %s", Clip(name), strings.Join(DefaultCapabilities, ", "))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.Ulimits)) {
		if err := validateUlimit(where+"ulimits", name, o.Ulimits[name]); err != nil {
			return err
		}
	}
	if o.ShmSize != 0 && (o.ShmSize < minShmSize || o.ShmSize > MaxMemory) {
		return Invalid(where+"shm_size", "%d bytes is outside %d … %d", o.ShmSize, int64(minShmSize), int64(MaxMemory))
	}
	if o.Disk != 0 && (o.Disk < minDisk || o.Disk > MaxMemory) {
		return Invalid(where+"disk", "%s is outside %s … %s", Bytes(o.Disk), Bytes(minDisk), Bytes(MaxMemory))
	}
	return validateTmpfs(where+"tmpfs", o.Tmpfs)
}

func validateUlimit(field, name string, n int64) error {
	switch {
	case name == "nproc":
		return Invalid(field+".nproc", "it counts the processes of one user in all containers of the node; an instance has 512 processes and threads at most, whatever its user")
	case !slices.Contains(ulimits, name):
		return Invalid(field, "%q is none of the limits that an app can lower: %s", Clip(name), strings.Join(ulimits, ", "))
	case name == "nofile" && (n < 64 || n > MaxOpenFiles):
		return Invalid(field+".nofile", "%d is outside 64 … %d, which every node has", n, MaxOpenFiles)
	case n < leastUlimits[name]:
		return Invalid(field+"."+name, "%d is too little for a process to start: it takes %d or more", n, leastUlimits[name])
	}
	return nil
}

func validateTmpfs(field string, list []Tmpfs) error {
	if len(list) > maxTmpfs {
		return Invalid(field, "%d file systems are more than %d", len(list), maxTmpfs)
	}
	seen := map[string]bool{}
	for _, t := range list {
		first, _, _ := strings.Cut(strings.TrimPrefix(t.Path, "/"), "/")
		switch {
		case !path.IsAbs(t.Path) || path.Clean(t.Path) != t.Path || t.Path == "/" || len(t.Path) > 1024 || hasControl(t.Path) || strings.ContainsAny(t.Path, ":,"):
			return Invalid(field, "%q is not the path of a folder (such as /tmp or /run:size=16m)", Clip(t.Path))
		case t.Path == "/dev/shm":
			return Invalid(field, "/dev/shm is in memory as it is: shm_size sets its size")
		case slices.Contains([]string{"dev", "proc", "sys"}, first):
			return Invalid(field, "%s is the kernel's: take a folder outside /dev, /proc and /sys", t.Path)
		case slices.Contains(enginesOwn, t.Path):
			return Invalid(field, "%s holds what the engine puts there for each container: take another folder", t.Path)
		case seen[t.Path]:
			return Invalid(field, "%s stands there twice", t.Path)
		case t.Size != 0 && (t.Size < minShmSize || t.Size > MaxMemory):
			return Invalid(field, "%s: %d bytes is outside %d … %d", t.Path, t.Size, int64(minShmSize), int64(MaxMemory))
		}
		seen[t.Path] = true
	}
	return nil
}
