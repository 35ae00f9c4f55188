package lab

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Signal sends one process of the host a signal, and nobody else who has its number by now.
func (h *Host) Signal(pid int, sig unix.Signal) error { return h.group.signal(pid, sig) }

// Programs counts what runs on the host, its containers' processes not among them, by the
// name of the program. What has ended and was not waited for counts as well.
func (h *Host) Programs() (map[string]int, error) {
	pids, err := h.group.daemons().processes()
	count := map[string]int{}
	for _, pid := range pids {
		if name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); err == nil {
			count[strings.TrimSpace(string(name))]++
		}
	}
	return count, err
}
