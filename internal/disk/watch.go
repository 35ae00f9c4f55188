package disk

import (
	"fmt"
	"log/slog"
	"os"

	"golang.org/x/sys/unix"

	"aorta/internal/watch"
	"aorta/pacemaker/cluster"
)

// A disk is full for us a little before it is, and scarce well before: each is a
// share of its size, at most so much.
const (
	fullShare, fullBytes, fullFiles       = 100, 64 << 20, 100
	scarceShare, scarceBytes, scarceFiles = 20, 1 << 30, 10_000
	ballastShare, ballastBytes            = 16, 64 << 20
)

// Check is the fault of the disk at path, where `what` is: "the data directory".
// When it is full, writes fail; a scarce one is a minor fault.
func Check(what, path string) error {
	s, err := At(path)
	if err != nil {
		return cluster.Unavailable("%s %s can't be looked at: %v", what, path, err)
	}
	return s.fault(what, path)
}

func (s Space) fault(what, path string) error {
	switch {
	case s.ReadOnly:
		return cluster.Unavailable("the disk of %s %s is mounted read-only: the kernel's log (dmesg) says why", what, path)
	case s.below(fullShare, fullBytes, fullFiles):
		return cluster.Unavailable("the disk of %s %s is full, %s: make room (df -h %[2]s)", what, path, s.room())
	case s.below(scarceShare, scarceBytes, scarceFiles):
		return watch.Minor(cluster.Unavailable("the disk of %s %s is nearly full, %s: make room (df -h %[2]s)", what, path, s.room()))
	}
	return nil
}

func (s Space) low(share, bytes int64) int64 { return min(s.Size/share, bytes) }

func (s Space) below(share, bytes, files int64) bool {
	return s.Free < s.low(share, bytes) || s.FreeFiles < min(s.AllFiles/share, files)
}

// room is in MB, so that the sentence stays as it is for a while.
func (s Space) room() string {
	if s.FreeFiles < min(s.AllFiles/scarceShare, scarceFiles) {
		return fmt.Sprintf("%d MB and room for %d more files are free", s.Free>>20, s.FreeFiles)
	}
	return fmt.Sprintf("%d MB of %d MB are free", s.Free>>20, s.Size>>20)
}

// Ballast is a file without content that takes room on a directory's disk. It goes
// when the disk is full, so that what has happened can still be written down, and
// comes back once there is room for it.
type Ballast struct {
	What, Dir string // as of Check
	Path      string // of the file, in Dir
	Log       *slog.Logger
}

// Check is Check of the disk, as it is without the ballast: one that is gone is
// room that is owed. It lets go of it, or takes it.
func (b Ballast) Check() error {
	s, err := At(b.Dir)
	if err != nil {
		return cluster.Unavailable("%s %s can't be looked at: %v", b.What, b.Dir, err)
	}
	size := s.low(ballastShare, ballastBytes)
	_, gone := os.Stat(b.Path)
	switch {
	case gone == nil && s.below(fullShare, fullBytes, 0):
		b.release(size)
	case gone != nil && s.Free > size+2*s.low(fullShare, fullBytes):
		b.take(size)
	case gone != nil:
		s.Free = max(0, s.Free-size)
	}
	return s.fault(b.What, b.Dir)
}

func (b Ballast) release(size int64) {
	if err := os.Remove(b.Path); err != nil {
		b.Log.Warn("the ballast can't be let go of", "path", b.Path, "err", err)
		return
	}
	b.Log.Warn("the disk is full; its ballast is let go of, so that the state can be written", "path", b.Path, "bytes", size)
}

// take reserves the room. A file system that can't has no ballast.
func (b Ballast) take(size int64) {
	f, err := os.OpenFile(b.Path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return // the disk takes no writes: its fault says so
	}
	defer func() { _ = f.Close() }()
	if err := unix.Fallocate(int(f.Fd()), 0, 0, size); err != nil {
		b.Log.Debug("no ballast", "path", b.Path, "err", err)
	}
}
