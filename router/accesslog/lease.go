package accesslog

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// unwritten says that no process has the file open for writing: only then does the
// kernel grant a read lease on it. The lease is given back at once. It takes
// the file's owner or CAP_LEASE to ask.
func unwritten(f *os.File) (bool, error) {
	_, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	if errors.Is(err, unix.EAGAIN) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("ask whether %s has a writer: %w", f.Name(), err)
	}
	if _, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_UNLCK); err != nil {
		return false, fmt.Errorf("give back the lease on %s: %w", f.Name(), err)
	}
	return true, nil
}
