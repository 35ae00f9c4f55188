package logstore

import (
	"errors"
	"fmt"
	"os"

	"aorta/internal/disk"
	"aorta/pacemaker/cluster"
)

// tmpSuffix marks files that are being written; a leftover is worth nothing.
const tmpSuffix = ".tmp"

// diskFault says what an operator can do about a disk that takes no more.
func (a *app) diskFault(err error) error {
	if !disk.Refused(err) {
		return fmt.Errorf("append to the log of app %s: %w", a.id, err)
	}
	advice := " (logs wait on the nodes meanwhile)"
	if disk.Full(err) {
		advice = " (or lower the logs' size and age limits; logs wait on the nodes meanwhile)"
	}
	return &cluster.Error{Code: cluster.CodeUnavailable, Message: disk.Reason(a.store.dir, err) + advice, Err: err}
}

// syncDir makes names in dir last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
