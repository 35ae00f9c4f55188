package logstore

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"aorta/pacemaker/cluster"
)

// tmpSuffix marks files that are being written; a leftover is worth nothing.
const tmpSuffix = ".tmp"

// diskFault says what an operator can do about a disk that takes no more.
func (a *app) diskFault(err error) error {
	if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("append to the log of app %s: %w", a.id, err)
	}
	return &cluster.Error{
		Code: cluster.CodeUnavailable,
		Message: fmt.Sprintf("the disk of the log store at %s is full, %d bytes free (free some space or lower the logs' size and age limits; logs wait on the nodes meanwhile)",
			a.store.dir, freeBytes(a.store.dir)),
		Err: err,
	}
}

func freeBytes(dir string) uint64 {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0
	}
	return st.Bavail * uint64(st.Bsize)
}

// syncDir makes names in dir last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
