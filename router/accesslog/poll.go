package accesslog

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"aorta/internal/fileid"
)

// errOverwritten ends a session whose log was emptied and filled again unseen.
var errOverwritten = errors.New("the access log was truncated while it was read")

// poll compares the files on disk with the known ones: it starts to read what
// is new, ends what is drained, rotates, and deletes what is done with.
func (s *session) poll(ctx context.Context) error {
	now, err := stat(s.t.cfg.Path)
	if err == nil && now == s.seen && s.quiet() {
		return nil
	}
	s.seen, s.scanned = now, time.Now()
	if err := s.scan(); err != nil {
		return err
	}
	if err := s.forget(); err != nil {
		return err
	}
	if err := s.read(); err != nil {
		return err
	}
	s.rotate()
	return s.tidy(ctx)
}

// sight is what shows most changes of the logs without opening them.
type sight struct {
	dir, path unix.Timespec // last changes
	inode     uint64        // of the file at the path
	size      int64
}

func stat(path string) (sight, error) {
	var dir, file unix.Stat_t
	if err := unix.Stat(filepath.Dir(path), &dir); err != nil {
		return sight{}, err
	}
	if err := unix.Stat(path, &file); err != nil {
		return sight{}, err
	}
	return sight{dir: dir.Mtim, path: file.Mtim, inode: file.Ino, size: file.Size}, nil
}

// quiet says that nothing is under way: there is one log, its tail has it, and
// it is no time to look closer, since two changes may have one time.
func (s *session) quiet() bool {
	if len(s.files) != 1 || s.active != s.files[0] || s.blind || s.durable != nil || time.Since(s.scanned) > closerEvery {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.active
	return f.src != nil && !f.truncated && f.doubts == 0 && f.size < s.t.cfg.RotateBytes
}

// scan finds the files anew.
func (s *session) scan() error {
	all, complete, err := list(s.t.cfg.Path)
	if err != nil {
		for _, one := range all {
			_ = one.fd.Close()
		}
		return err
	}
	for _, f := range s.files {
		f.missed++
	}
	s.active, s.atPath, s.blind = nil, "", !complete
	clear(s.onDisk)
	for _, one := range all {
		s.onDisk[one.id] = true
		if one.fd.Name() == s.t.cfg.Path {
			s.atPath = one.id.File
		}
	}
	for _, one := range all {
		s.register(one)
	}
	slices.SortStableFunc(s.files, func(a, b *file) int { return strings.Compare(a.id.Born(), b.id.Born()) })
	return nil
}

// register takes in one file that was found.
func (s *session) register(one found) {
	name := one.fd.Name()
	if one.id.Head == "" {
		_ = one.fd.Close()
		return
	}
	f := s.known(one.id)
	if f == nil {
		f = &file{id: one.id, drained: -1, copyOf: s.original(one)}
		s.mu.Lock()
		s.files = append(s.files, f)
		s.mu.Unlock()
	}
	if f.fd == nil {
		f.fd = one.fd
	} else {
		_ = one.fd.Close()
	}
	f.name, f.size, f.missed, f.doubts = name, one.size, 0, 0
	if name == s.t.cfg.Path {
		s.active = f
	}
}

func (s *session) known(id fileid.ID) *file {
	at := slices.IndexFunc(s.files, func(f *file) bool { return f.id == id })
	if at < 0 {
		return nil
	}
	return s.files[at]
}

// original is the log that a new file is a copy of, nil if it is none. A copy
// has the first line of a log that we know, and that log is at its path still,
// or truncated, or gone. Were it rotated by renaming and whole, then both would
// be logs, whose first lines have no clock.
func (s *session) original(one found) *file {
	if one.fd.Name() == s.t.cfg.Path {
		return nil
	}
	for _, f := range s.files {
		renamed := s.onDisk[f.id] && f.id.File != s.atPath
		if f.id.Head == one.id.Head && f.copyOf == nil && !renamed {
			return f
		}
	}
	return nil
}

// forget drops files that are gone for good and leaves to their copies what was
// not counted yet. A single scan can miss a file that is being renamed.
func (s *session) forget() error {
	for _, f := range slices.Clone(s.files) {
		if f.missed == 0 {
			continue
		}
		keep, err := s.stays(f)
		if err != nil {
			return err
		}
		if !keep {
			s.drop(f)
		}
	}
	return nil
}

// stays says whether a file that wasn't found is still to be followed.
func (s *session) stays(f *file) (bool, error) {
	// No log at all at the path rather means a disk that isn't mounted.
	if f.missed < goneScans || s.blind || (s.atPath == "" && f.fd == nil) {
		return true, s.doubt(f)
	}
	s.mu.Lock()
	src, truncated, offset := f.src, f.truncated, f.offset
	s.mu.Unlock()
	if src == nil || truncated || f.fd == nil {
		return false, nil
	}
	// It was deleted under its writers: as long as they write we read.
	_, size, err := fileid.Of(f.fd)
	if err != nil {
		return false, err
	}
	if offset < size && !lineless(f.fd, offset, size) {
		return true, nil
	}
	free, err := s.unwritten(f)
	return !free && err == nil, nil
}

// doubt waits for the tail to come to a truncation that the first line shows.
func (s *session) doubt(f *file) error {
	s.mu.Lock()
	sure := f.src == nil || f.truncated || f.fd == nil
	s.mu.Unlock()
	if sure {
		return nil
	}
	head, err := fileid.Head(f.fd)
	if err != nil || head == f.id.Head {
		return err
	}
	if f.doubts++; f.doubts > doubtScans {
		return fmt.Errorf("%w: %s", errOverwritten, f.name)
	}
	return nil
}

func (s *session) drop(f *file) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retire(f)
	s.release(f)
	s.files = slices.DeleteFunc(s.files, func(g *file) bool { return g == f })
	if f.fd != nil {
		_ = f.fd.Close()
	}
}

// release makes the copies of f logs of their own. The caller holds mu.
func (s *session) release(f *file) {
	for _, c := range s.files {
		if c.copyOf == f {
			c.inherit()
			c.drained = -1
		}
	}
}

// retire ends the reading of f. The caller holds mu, so nothing waits here.
func (s *session) retire(f *file) {
	if f.src != nil {
		f.src.kill()
		f.src = nil
	}
}
