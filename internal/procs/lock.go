package procs

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// LockedError says that another process holds the directory.
type LockedError struct {
	Dir string
	Pid string // of the holder, "unknown" in the instant before it wrote it
	// Where says more of it, such as "on host n1 since 2026-01-02T03:04:05Z": another
	// host may have the same disk. Empty when an older aortad holds the lock.
	Where string
}

// Error names the directory, its holder and what to do.
func (e *LockedError) Error() string {
	who := e.Pid
	if e.Where != "" {
		who += " " + e.Where
	}
	return fmt.Sprintf("directory %s is in use by process %s (stop that one first, or choose another directory)", e.Dir, who)
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
	return take(f, dir, sign)
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
			_ = errors.Join(sign(named), named.Close())
		}
		return nil
	})
}

func lockPath(dir string) string { return filepath.Join(dir, "lock") }

// take locks the file, and closes it when it can't.
func take(f *os.File, dir string, note func(*os.File) error) (unlock func(), err error) {
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		pid, where := holder(f)
		err = &LockedError{Dir: dir, Pid: pid, Where: where}
	} else if err == nil {
		err = note(f)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock directory: %w", err)
	}
	return func() {
		_ = unix.Flock(int(f.Fd()), unix.LOCK_UN) // a child has the file open, too, from its fork until its own program starts
		_ = f.Close()
	}, nil
}

// holder reads what sign wrote: the process id in the first line, in the second where
// that is and since when.
func holder(f *os.File) (pid, where string) {
	b := make([]byte, 512)
	n, _ := f.ReadAt(b, 0)
	pid, where, _ = strings.Cut(string(b[:n]), "\n")
	return cmp.Or(strings.TrimSpace(pid), "unknown"), strings.TrimSpace(where)
}

func sign(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	host, _ := os.Hostname()
	_, err := f.WriteAt(fmt.Appendf(nil, "%d\non host %s since %s\n", os.Getpid(), host, time.Now().UTC().Format(time.RFC3339)), 0)
	return err
}
