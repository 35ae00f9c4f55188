package build

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// niceness of a build's process: what serves requests comes first.
const niceness = 10

// beNice is for all threads: a new one takes after the one that starts it.
func beNice() error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("list the threads of a build's process: %w", err)
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			continue
		}
		if err := unix.Setpriority(unix.PRIO_PROCESS, id, niceness); err != nil && err != unix.ESRCH {
			return fmt.Errorf("lower the priority of a build's process: %w", err)
		}
	}
	return nil
}
