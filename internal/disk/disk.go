// Package disk says how much room there is where a file is, whether it can be
// written there, and what to do when not. It frees no room.
package disk

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
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

// less is the space without some bytes that are free.
func (s Space) less(bytes int64) Space {
	s.Free = max(0, s.Free-bytes)
	return s
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

// Spare is how many bytes may still be written at path by what can be refused: what
// has happened already has to be written down when nothing else fits.
func Spare(path string) (int64, error) {
	s, err := At(path)
	if s.filesBelow(fullShare, fullFiles) {
		return 0, err
	}
	return max(0, s.Free-s.low(fullShare, fullBytes)), err
}
