package accesslog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"aorta/router/stats"
)

// stampDigits is the length of a Unix time in ns, the ending of logs that we
// rotated. Others' are theirs to delete.
const stampDigits = 19

// rotate renames a log that is large enough and lets nginx open a new one. It
// asks nginx again for as long as the log is missing: we or nginx may have died
// in between.
func (s *session) rotate() {
	if s.t.cfg.Reopen == nil || time.Since(s.reopened) < reopenEvery {
		return
	}
	path := s.t.cfg.Path
	if s.active != nil && s.active.size >= s.t.cfg.RotateBytes {
		to := fmt.Sprintf("%s.%0*d", path, stampDigits, time.Now().UnixNano())
		if err := os.Rename(path, to); err != nil {
			s.t.cfg.Log.Warn("rotate the access log", "error", err)
			return
		}
	} else if _, err := os.Lstat(path); !os.IsNotExist(err) {
		return
	}
	s.reopened = time.Now()
	if err := s.t.cfg.Reopen(); err != nil {
		s.t.cfg.Log.Warn("nginx did not open a new access log, it is asked again", "path", path, "error", err)
	}
}

// tidy deletes rotated logs that have no writer, are read to their end and
// committed by every shard, once the store has that on disk for sure.
//
// Counting goes on though nothing can be deleted: only a position that moved
// ends the session.
func (s *session) tidy(ctx context.Context) error {
	if !s.tidied.IsZero() && time.Since(s.tidied) < tidyRetry {
		return nil
	}
	err := s.judge(ctx)
	if err == nil || errors.Is(err, stats.ErrMoved) || ctx.Err() != nil {
		return err
	}
	s.durable, s.tidied = nil, time.Now()
	s.t.cfg.Log.Warn("counted access logs stay for now", "path", s.t.cfg.Path, "error", err)
	return nil
}

// judge takes one step: condemn what is finished, or ask the store about it.
func (s *session) judge(ctx context.Context) error {
	if s.durable == nil {
		return s.sentence(ctx)
	}
	sure, err := s.durable(ctx)
	if err != nil {
		return fmt.Errorf("ask whether the statistics are on disk: %w", err)
	}
	if !sure {
		return nil
	}
	s.durable = nil
	// Had the store lost something before it saved, its positions would show.
	now, err := s.t.cfg.Store.Positions(ctx, s.t.cfg.Router)
	if err != nil {
		return err
	}
	for shard, position := range now {
		if !position.Equal(s.stored[shard]) {
			return stats.ErrMoved
		}
	}
	s.execute()
	return nil
}

// execute deletes what is condemned.
func (s *session) execute() {
	for _, f := range s.files {
		if !f.condemn {
			continue
		}
		f.condemn = false
		// Somebody may have opened it for writing again by hand.
		if !s.finished(f) {
			continue
		}
		if err := s.remove(f); err != nil {
			f.kept = true
			s.t.cfg.Log.Warn("a counted access log stays", "file", f.name, "error", err)
		}
	}
}

// sentence condemns what is finished.
func (s *session) sentence(ctx context.Context) error {
	found := false
	for _, f := range s.files {
		f.condemn = f.missed == 0 && s.finished(f)
		found = found || f.condemn
	}
	if !found {
		return nil
	}
	mark, err := s.t.cfg.Store.Durable(ctx)
	if err != nil {
		return fmt.Errorf("bring the statistics to disk: %w", err)
	}
	s.durable = mark
	return nil
}

// finished says that f is ours to delete and can't have an uncounted line.
func (s *session) finished(f *file) bool {
	if f == s.active || f.kept || f.copyOf != nil || f.missed > 0 || !ours(s.t.cfg.Path, f.name) || !s.settled(f) {
		return false
	}
	// In this order: only after its last writer is gone its size is final.
	if free, err := s.unwritten(f); err != nil || !free {
		return false
	}
	_, size, err := identify(f.fd)
	if err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return f.src == nil && f.drained == size && lineless(f.fd, f.offset, size)
}

func ours(path, name string) bool {
	stamp, ok := strings.CutPrefix(name, path+".")
	return ok && len(stamp) == stampDigits && strings.Trim(stamp, "0123456789") == ""
}
