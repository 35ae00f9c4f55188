package build

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// niceness of a build's process: what serves requests comes first.
const niceness = 10

// beNice is for all threads. One that was started meanwhile has the priority that
// its creator had then, so it looks again until it finds none to change.
func beNice() error {
	for {
		changed, err := niceThreads()
		if err != nil || !changed {
			return err
		}
	}
}

// niceThreads lowers the priority of the threads there are, and says whether one
// had another.
func niceThreads() (changed bool, err error) {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return false, fmt.Errorf("list the threads of a build's process: %w", err)
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			continue
		}
		one, err := niceThread(id)
		if err != nil && err != unix.ESRCH { // it ended
			return changed, fmt.Errorf("lower the priority of a build's process: %w", err)
		}
		changed = changed || one
	}
	return changed, nil
}

// niceThread says whether the thread had another priority.
func niceThread(id int) (changed bool, err error) {
	const zero = 20 // the kernel's answer for a niceness of 0; less is nicer
	now, err := unix.Getpriority(unix.PRIO_PROCESS, id)
	if err != nil || now <= zero-niceness {
		return false, err
	}
	return true, unix.Setpriority(unix.PRIO_PROCESS, id, niceness)
}
