package procs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// LockedError says that another process holds the directory.
type LockedError struct {
	Dir string
	Pid string // of the holder, "unknown" in the instant before it wrote it
}

// Error names the directory, its holder and what to do.
func (e *LockedError) Error() string {
	return fmt.Sprintf("directory %s is in use by process %s (stop that one first, or choose another directory)", e.Dir, e.Pid)
}

// LockDir takes the directory for this process until unlock is called or the
// process ends, however it ends. It makes the directory when missing (0700).
// When another one holds it, the error is a *LockedError. Keep unlock for as long
// as the lock is wanted: what nobody refers to is closed by the garbage collector.
func LockDir(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("lock directory: %w", err)
	}
	// Go opens close-on-exec, so no daemon inherits the lock.
	f, err := os.OpenFile(lockPath(dir), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock directory: %w", err)
	}
	return take(f, dir, writePid)
}

// LockDirToStop is LockDir for who ends what runs there, which must work on a disk
// that takes no writes: then the lock is held without saying who holds it.
func LockDirToStop(dir string) (unlock func(), err error) {
	f, err := os.Open(lockPath(dir))
	if err != nil {
		return LockDir(dir)
	}
	return take(f, dir, func(*os.File) error {
		if named, err := os.OpenFile(lockPath(dir), os.O_WRONLY, 0); err == nil {
			_ = errors.Join(writePid(named), named.Close())
		}
		return nil
	})
}

func lockPath(dir string) string { return filepath.Join(dir, "lock") }

// take locks the file, and closes it when it can't.
func take(f *os.File, dir string, sign func(*os.File) error) (unlock func(), err error) {
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = &LockedError{Dir: dir, Pid: holder(f)}
	} else if err == nil {
		err = sign(f)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock directory: %w", err)
	}
	return func() { _ = f.Close() }, nil
}

func holder(f *os.File) string {
	b := make([]byte, 32)
	n, _ := f.ReadAt(b, 0)
	if pid := strings.TrimSpace(string(b[:n])); pid != "" {
		return pid
	}
	return "unknown"
}

func writePid(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	return err
}
