package rig

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"aorta/internal/testkit"
)

// endShims ends the shims of a containerd that is gone, and what runs in the containers
// that they hold: nobody else knows them any more.
func (o *Own) endShims() {
	for _, pid := range o.shims() {
		for _, child := range childrenOf(pid) {
			kill(child)
		}
		kill(pid)
	}
	testkit.Eventually(o.tb, "the shims of the test's own engine to end", func() bool { return len(o.shims()) == 0 })
}

// shims lists the shims of the engine by their process ids.
func (o *Own) shims() (pids []int) {
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	testkit.Must(o.tb, err)
	for _, file := range lines {
		line, err := os.ReadFile(file) // a process may have ended meanwhile
		if err != nil || !bytes.Contains(line, []byte("containerd-shim")) || !bytes.Contains(line, []byte("\x00"+o.dir+"/containerd\x00")) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

func childrenOf(pid int) (pids []int) {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, file := range lists {
		text, _ := os.ReadFile(file) // its process may have ended meanwhile
		for _, word := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(word); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids
}

// kill ends a process that may have ended meanwhile.
func kill(pid int) { _ = unix.Kill(pid, unix.SIGKILL) }
