package disk

import (
	"log/slog"
	"os"

	"golang.org/x/sys/unix"

	"aorta/internal/watch"
	"aorta/pacemaker/cluster"
)

// Ballast is a file without content that takes room on a directory's disk. It goes
// when the disk is full, so that what has happened can still be written down, and
// comes back once there is room for it.
type Ballast struct {
	What, Dir string // as of Check
	Path      string // of the file, in Dir
	Written   string // a file in Dir that each Check writes to
	Log       *slog.Logger
}

// Check is the fault of the disk, as it is without the ballast: one that is gone is
// room that is owed. It lets go of it, or takes it, and writes as others do.
func (b Ballast) Check() error {
	s, err := At(b.Dir)
	if err != nil {
		return cluster.Unavailable("%s %s can't be looked at: %v", b.What, b.Dir, err)
	}
	written := use(b.Dir, b.Written)
	if Refused(written) && !Full(written) {
		return s.refused(b.What, b.Dir, written)
	}
	owed := b.keep(s)
	switch fault := s.less(owed).fault(b.What, b.Dir); {
	case written == nil || fault != nil && !watch.IsMinor(fault):
		return fault
	case Full(written):
		return s.refused(b.What, b.Dir, written)
	}
	return cluster.Unavailable("%s %s can't be written to: %v", b.What, b.Dir, written)
}

// keep lets go of the ballast or takes it, as there is room, and gives the bytes that
// the disk owes to it.
func (b Ballast) keep(s Space) int64 {
	size := s.low(ballastShare, ballastBytes)
	_, gone := os.Stat(b.Path)
	switch {
	case gone == nil && s.below(fullShare, fullBytes, 0):
		b.release(size)
	case gone != nil && s.Free > size+2*s.low(fullShare, fullBytes):
		b.take(size)
	case gone != nil:
		return size
	}
	return 0
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
