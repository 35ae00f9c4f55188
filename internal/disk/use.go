package disk

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Try is the error of a write to the disk of a directory that exists: it makes a file
// there that never has a name, and waits for the disk to have it. It knows what no
// flag tells, such as a disk to which the kernel has stopped writing after an error.
func Try(dir string) error { return tryFile(dir, (*os.File).Sync) }

// Accepts is Try without waiting for the disk.
func Accepts(dir string) error { return tryFile(dir, nil) }

// tryFile makes a file and writes to it, and then does what else is given.
func tryFile(dir string, then func(*os.File) error) error {
	f, err := nameless(dir)
	if err != nil {
		return err
	}
	_, err = f.Write([]byte{1})
	if err == nil && then != nil {
		err = then(f)
	}
	return errors.Join(err, f.Close())
}

// nameless is a new file without a name, where the file system has such.
func nameless(dir string) (*os.File, error) {
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
	if err == nil {
		return os.NewFile(uintptr(fd), dir), nil
	}
	if !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.EISDIR) {
		return nil, &os.PathError{Op: "make a file in", Path: dir + "/", Err: err}
	}
	f, err := os.CreateTemp(dir, ".try.*")
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}

// use writes to a directory's disk as those do who need it: over a file of its own
// that is there, to the disk, and into a new one.
func use(dir, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteAt([]byte{1}, 0)
	if err == nil {
		err = unix.Fdatasync(int(f.Fd()))
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return Accepts(dir)
}
