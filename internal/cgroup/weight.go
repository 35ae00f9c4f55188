package cgroup

import (
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// Prefer gives the group around this one at least so many times the usual weight among
// its neighbours, where it is of a container engine that keeps all its containers in
// one group, and this process is such a neighbour: else they have together what one
// session has. What systemd has sorted into slices stays as it is: there each container
// is a neighbour of the services.
func (g Group) Prefer(times int64) error {
	if g.around == "" {
		return nil
	}
	file, usual := "cpu.shares", int64(1024)
	if g.unified {
		file, usual = "cpu.weight", 100
	}
	now, err := number(filepath.Join(g.around, file), "")
	if err != nil || now >= times*usual {
		return err
	}
	return write(g.around, file, strconv.FormatInt(times*usual, 10))
}

// around is the directory of the group around that of a path, empty when that is none
// that Prefer may change.
func around(proc, root, controller, group string) string {
	text, err := os.ReadFile(filepath.Join(proc, "self", "cgroup"))
	outer := path.Dir(group)
	if own, known := pathsIn(string(text))[controller]; err != nil || !known || len(outer) < 2 || path.Dir(outer) != own || strings.HasSuffix(outer, ".slice") {
		return ""
	}
	return filepath.Join(root, outer)
}
