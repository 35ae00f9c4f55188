// Package disk says how much room there is where a file is, and what to do when
// there is none. It frees none.
package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"aorta/pacemaker/cluster"
)

// Space is the room of a file system, for who is not root.
type Space struct {
	Free, Size          int64 // bytes
	FreeFiles, AllFiles int64 // how many there can be more, and in all; 0 and 0: it does not count them
	ReadOnly            bool
}

// At is the room at path, or where it would be made.
func At(path string) (Space, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(existing(path), &fs); err != nil {
		return Space{}, fmt.Errorf("read the room at %s: %w", path, err)
	}
	return Space{
		Free: int64(fs.Bavail) * fs.Bsize, Size: int64(fs.Blocks) * fs.Bsize,
		FreeFiles: int64(fs.Ffree), AllFiles: int64(fs.Files), ReadOnly: fs.Flags&unix.ST_RDONLY != 0,
	}, nil
}

// Same says whether two paths that exist are on one file system.
func Same(a, b string) bool {
	var one, other unix.Stat_t
	return unix.Stat(a, &one) == nil && unix.Stat(b, &other) == nil && one.Dev == other.Dev
}

// existing is the nearest ancestor that exists.
func existing(path string) string {
	for path != "/" && path != "." {
		if _, err := os.Stat(path); err == nil {
			break
		}
		path = filepath.Dir(path)
	}
	return path
}

// Full says that a write failed because there was no room for it.
func Full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// Explain is the error of a write at path, and of a full disk one that names the
// path, the bytes that are free and the next step.
func Explain(path string, err error) error {
	if err == nil || !Full(err) {
		return err
	}
	return FullAt(path, err)
}

// Told is Explain where only the error knows the path. One that is for people
// already is left as it is.
func Told(err error) error {
	var coded *cluster.Error
	if err == nil || !Full(err) || errors.As(err, &coded) {
		return err
	}
	var at *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &at):
		return FullAt(filepath.Dir(at.Path), err)
	case errors.As(err, &link):
		return FullAt(filepath.Dir(link.New), err)
	}
	return &cluster.Error{Code: cluster.CodeUnavailable, Err: err, Message: "a disk of this node is full: see which (df -h) and make room, what was asked for can be asked again then"}
}

// FullAt is the error of a write at path that finds no room; cause may be nil.
func FullAt(path string, cause error) error {
	return &cluster.Error{Code: cluster.CodeUnavailable, Err: cause, Message: Shortage(path)}
}

// Shortage says that the disk at path is full, how much is free there all the same,
// and what to do.
func Shortage(path string) string {
	free := "an unknown number of"
	if s, err := At(path); err == nil {
		free = fmt.Sprint(s.Free)
	}
	return fmt.Sprintf("the disk is full at %s: %s bytes are free there, and none for this; make room (df -h %[1]s), then try again", path, free)
}

// Spare is how many bytes may still be written at path by what can be refused: what
// has happened already has to be written down when nothing else fits.
func Spare(path string) (int64, error) {
	s, err := At(path)
	return max(0, s.Free-s.low(fullShare, fullBytes)), err
}
