package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"aorta/pacemaker/cluster"
)

// refusals are the errors of a write that its disk refuses, whatever is written.
var refusals = []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EIO}

// Refused says that a write failed by its disk: no room, a quota, a disk that is
// read-only, or one that fails.
func Refused(err error) bool {
	for _, refusal := range refusals {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}

// Full says that a write failed because there was no room for it.
func Full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// Explain is the error of a write at path, and of one that the disk refused an error
// that names the path, the cause and the next step.
func Explain(path string, err error) error {
	var coded *cluster.Error
	if err == nil || !Refused(err) || errors.As(err, &coded) {
		return err
	}
	return &cluster.Error{Code: cluster.CodeUnavailable, Err: err, Message: Reason(path, err)}
}

// ExplainError is Explain where only the error knows the path. One that is for people
// already is left as it is.
func ExplainError(err error) error {
	var at *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &at):
		return Explain(filepath.Dir(at.Path), err)
	case errors.As(err, &link):
		return Explain(filepath.Dir(link.New), err)
	}
	var coded *cluster.Error
	if err == nil || !Refused(err) || errors.As(err, &coded) {
		return err
	}
	return &cluster.Error{Code: cluster.CodeUnavailable, Err: err, Message: "a disk of this node " + anywhere(err) + "; what was asked for can be asked again then"}
}

// anywhere is what is wrong with a disk that nobody has named.
func anywhere(err error) string {
	if Full(err) {
		return "is full: see which (df -h, df -i) and make room"
	}
	return "takes no writes: see which, and why (dmesg), and mend it (fsck)"
}

// FullAt is the error of a write at path that finds no room; cause may be nil.
func FullAt(path string, cause error) error {
	return &cluster.Error{Code: cluster.CodeUnavailable, Err: cause, Message: Shortage(path)}
}

// Reason says why the disk at path refused a write that failed by err, and what to
// do.
func Reason(path string, err error) string {
	switch {
	case errors.Is(err, syscall.EROFS):
		return fmt.Sprintf("the disk at %s %s; then try again", path, readOnly(path))
	case errors.Is(err, syscall.EIO):
		return fmt.Sprintf("the disk at %s %s; then try again", path, failing)
	case errors.Is(err, syscall.EDQUOT):
		return fmt.Sprintf("the disk at %s %s, then try again", path, quota)
	}
	return Shortage(path)
}

const (
	failing = "fails, by an input/output error: look at dmesg, then mend it (fsck) or replace it"
	quota   = "takes no more of this user: its disk quota is used up; raise it or make room"
)

// readOnly is what is wrong with a disk at path that is read-only. A kernel that
// stops writing to one after an error need not say so in its flags.
func readOnly(path string) string {
	if s, err := At(path); err == nil && s.ReadOnly {
		return "is read-only: it is mounted so, or the kernel made it so after an error: look at dmesg, then fsck, and mount it for writes"
	}
	return "is read-only: the kernel made it so after an error: look at dmesg, then fsck"
}

// Shortage says that the disk at path is full, how much is free there all the same,
// and what to do.
func Shortage(path string) string {
	s, err := At(path)
	switch {
	case err != nil:
		return fmt.Sprintf("the disk is full at %s: an unknown number of bytes are free there, and none for this; make room (df -h %[1]s), then try again", path)
	case s.outOfFiles():
		return fmt.Sprintf("the disk is full at %s: there is room for %d more files and none for this, while %d bytes are free there; remove files (df -i %[1]s), then try again", path, s.FreeFiles, s.Free)
	}
	return fmt.Sprintf("the disk is full at %s: %d bytes are free there, and none for this; make room (df -h %[1]s), then try again", path, s.Free)
}
