// Package claim keeps two copies of one data directory from being one node at
// the same time: each would end the other's daemons and remove its containers.
//
// A directory that was claimed holds its own identity in a file. A copy of it
// holds the identity of the original, and is refused while that is still there;
// once it is gone, or was moved, the directory takes its place. While a process
// holds a claim, it also keeps a socket of the claim's name, so that a copy is
// found even where the original can't be seen. It knows nothing of what is kept
// in the directory.
package claim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"aorta/internal/atomicfile"
)

// CopyError says that a directory is a copy of another one that is there too.
type CopyError struct {
	Dir      string
	Original string
	Running  bool // a process has the original in use
}

// Error names both directories and what to do.
func (e *CopyError) Error() string {
	state := "which is still there"
	if e.Running {
		state = "whose daemon runs"
	}
	return fmt.Sprintf("%s is a copy of %s, %s: the two would stop each other's daemons and apps. Use the original; "+
		"or, to use this one instead, stop the original and remove or rename it first; or begin a cluster of its own in an empty directory", e.Dir, e.Original, state)
}

// record is the file.
type record struct {
	Name string   `json:"name"` // of the claim; a copy has the same
	Path string   `json:"path"` // where the directory was when it was claimed
	Is   identity `json:"is"`
}

// identity tells a directory from its copies.
type identity struct {
	Device uint64 `json:"device"`
	Inode  uint64 `json:"inode"`
	Born   int64  `json:"born,omitempty"` // nanoseconds since 1970; 0 where the file system has none
}

func file(dir string) string { return filepath.Join(dir, "claim.json") }

// Take claims a directory for this process, until release is called or the
// process ends, however it ends. A copy of a directory that is still there, or
// in use, is refused with a *CopyError.
func Take(dir string) (release func(), err error) {
	r, err := check(dir)
	if err != nil {
		return nil, err
	}
	l, err := hold(r.Name, dir)
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(r)
	if err == nil {
		err = atomicfile.Write(file(dir), raw, 0o600)
	}
	if err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("claim %s: %w", dir, err)
	}
	return func() { _ = l.Close() }, nil
}

// Check refuses what Take would refuse, and changes nothing. A directory that
// was never claimed passes.
func Check(dir string) error {
	r, err := check(dir)
	if err != nil {
		return err
	}
	l, err := hold(r.Name, dir)
	if err != nil {
		return err
	}
	return l.Close()
}

// check gives the record that the directory should have, unless it is a copy of
// one that is still where it was.
func check(dir string) (record, error) {
	path, err := filepath.EvalSymlinks(dir)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return record{}, fmt.Errorf("find the directory: %w", err)
	}
	is, err := identify(path)
	if err != nil {
		return record{}, err
	}
	r, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return record{Name: newName(), Path: path, Is: is}, nil
	}
	if err != nil {
		return r, err
	}
	if is != r.Is && path != r.Path && r.stays() {
		return r, &CopyError{Dir: dir, Original: r.Path}
	}
	r.Path, r.Is = path, is
	return r, nil
}

func read(dir string) (record, error) {
	var r record
	raw, err := os.ReadFile(file(dir))
	if err != nil {
		return r, fmt.Errorf("read the claim on a directory: %w", err)
	}
	if err := json.Unmarshal(raw, &r); err != nil || r.Name == "" {
		return r, fmt.Errorf("the claim on a directory is unreadable (if no copy of it is in use, remove the file): %s", file(dir))
	}
	return r, nil
}

// stays tells whether the directory that was claimed is still where it was.
func (r record) stays() bool {
	is, err := identify(r.Path)
	if err != nil || is != r.Is {
		return false
	}
	there, err := read(r.Path)
	return err == nil && there.Name == r.Name
}

func identify(dir string) (identity, error) {
	var s unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, dir, 0, unix.STATX_INO|unix.STATX_BTIME, &s); err != nil {
		return identity{}, fmt.Errorf("identify %s: %w", dir, err)
	}
	is := identity{Device: unix.Mkdev(s.Dev_major, s.Dev_minor), Inode: s.Ino}
	if s.Mask&unix.STATX_BTIME != 0 {
		is.Born = s.Btime.Sec*1e9 + int64(s.Btime.Nsec)
	}
	return is, nil
}
