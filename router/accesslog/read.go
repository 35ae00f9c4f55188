package accesslog

import (
	"fmt"
	"os"
	"slices"
	"time"

	"aorta/internal/fileid"
	"aorta/router/stats"
)

// read starts and ends sources: one on the log at the path always, and a few on
// rotated logs that have more, oldest first.
func (s *session) read() error {
	s.reap()
	drains := 0
	for _, f := range s.files {
		if f.missed > 0 || f.copyOf != nil {
			continue
		}
		wanted := f == s.active || (f.size != f.drained && drains < maxDrains)
		if wanted && f != s.active {
			wanted = !s.rest(f)
		}
		if !wanted {
			continue
		}
		if f != s.active {
			drains++
		}
		if err := s.start(f); err != nil {
			return err
		}
	}
	return nil
}

// rest ends the reading of a rotated log that has no more lines.
func (s *session) rest(f *file) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.offset < f.size && !lineless(f.fd, f.offset, f.size) {
		return false
	}
	f.drained = f.size
	s.retire(f)
	return true
}

func (s *session) start(f *file) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.truncated {
		s.refill(f)
	}
	if f.src != nil || f.truncated {
		return nil
	}
	src, err := startSource(f.fd, f.offset, func(src *source, text string, truncated bool) bool {
		return s.receive(f, src, text, truncated)
	})
	if err != nil {
		return err
	}
	f.src = src
	s.sources = append(s.sources, src)
	return nil
}

// refill begins a truncated log anew when its first line is the same as before:
// only lines without a clock do that. The caller holds mu.
func (s *session) refill(f *file) {
	// The scan under way may have happened before the truncation.
	if f.emptied++; f.emptied < 2 {
		return
	}
	s.retire(f)
	s.release(f)
	f.offset, f.maxSkip, f.skip = 0, 0, [stats.Shards]int64{}
	f.truncated, f.emptied, f.drained = false, 0, -1
	s.wrote = [stats.Shards]time.Time{}
}

// reap forgets sources that ended. One that died by itself is started again.
func (s *session) reap() {
	s.sources = slices.DeleteFunc(s.sources, func(src *source) bool {
		select {
		case <-src.done:
		default:
			return false
		}
		if err := src.err(); err != nil {
			s.t.cfg.Log.Warn("reading the access log failed, it goes on", "error", err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, f := range s.files {
			if f.src == src && !f.truncated {
				f.src = nil
			}
		}
		return true
	})
}

// unwritten asks whether f has no writers left, and says once if it may not.
func (s *session) unwritten(f *file) (bool, error) {
	free, err := unwritten(f.fd)
	if err != nil && !f.unasable {
		f.unasable = true
		s.t.cfg.Log.Warn("a rotated access log can't be deleted by us: run as its owner or with CAP_LEASE", "file", f.name, "error", err)
	}
	return free, err
}

// remove deletes f's name, if it still is f's.
func (s *session) remove(f *file) error {
	fd, id, _, err := fileid.Open(f.name)
	if err != nil {
		return err
	}
	defer func() { _ = fd.Close() }()
	if id != f.id {
		return nil
	}
	if err := os.Remove(f.name); err != nil {
		return fmt.Errorf("delete a counted access log: %w", err)
	}
	return nil
}
