package disk

import (
	"errors"
	"fmt"
	"syscall"

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
// When it takes no writes or is full, writes fail; a scarce one is a minor fault.
// What we may not write to is only looked at.
func Check(what, path string) error {
	s, err := At(path)
	if err != nil {
		return cluster.Unavailable("%s %s can't be looked at: %v", what, path, err)
	}
	if err := Accepts(path); Refused(err) {
		return s.refused(what, path, err)
	}
	return s.fault(what, path)
}

// refused is the fault of a disk that refused a write by err.
func (s Space) refused(what, path string, err error) error {
	reason := ""
	switch {
	case errors.Is(err, syscall.EROFS):
		reason = readOnly(path)
	case errors.Is(err, syscall.EIO):
		reason = failing
	case errors.Is(err, syscall.EDQUOT):
		reason = quota
	default:
		return s.full(what, path)
	}
	return &cluster.Error{Code: cluster.CodeUnavailable, Err: err, Message: fmt.Sprintf("the disk of %s %s %s", what, path, reason)}
}

// fault is what the figures of a disk say.
func (s Space) fault(what, path string) error {
	switch {
	case s.ReadOnly:
		return cluster.Unavailable("the disk of %s %s %s", what, path, readOnly(path))
	case s.below(fullShare, fullBytes, fullFiles):
		return s.full(what, path)
	case s.below(scarceShare, scarceBytes, scarceFiles):
		return watch.Minor(cluster.Unavailable("the disk of %s %s is nearly full, %s: %s", what, path, s.room(), s.remedy(path)))
	}
	return nil
}

func (s Space) full(what, path string) error {
	return cluster.Unavailable("the disk of %s %s is full, %s: %s", what, path, s.room(), s.remedy(path))
}

func (s Space) low(share, bytes int64) int64 { return min(s.Size/share, bytes) }

func (s Space) below(share, bytes, files int64) bool {
	return s.Free < s.low(share, bytes) || s.filesBelow(share, files)
}

// filesBelow is false where files are not counted, and for a bound of none.
func (s Space) filesBelow(share, files int64) bool {
	return s.AllFiles > 0 && files > 0 && s.FreeFiles < max(1, min(s.AllFiles/share, files))
}

// outOfFiles says that bytes are not what a full disk lacks.
func (s Space) outOfFiles() bool {
	return s.filesBelow(fullShare, fullFiles) && s.Free >= s.low(fullShare, fullBytes)
}

// remedy is the next step, and the command that shows what is short.
func (s Space) remedy(path string) string {
	if s.filesBelow(scarceShare, scarceFiles) {
		return fmt.Sprintf("remove files (df -i %s)", path)
	}
	return fmt.Sprintf("make room (df -h %s)", path)
}

// room is in MB, so that the sentence stays as it is for a while.
func (s Space) room() string {
	if s.filesBelow(scarceShare, scarceFiles) {
		return fmt.Sprintf("%d MB and room for %d more files are free", s.Free>>20, s.FreeFiles)
	}
	return fmt.Sprintf("%d MB of %d MB are free", s.Free>>20, s.Size>>20)
}
