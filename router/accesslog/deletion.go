package accesslog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aorta/internal/fileid"
	"aorta/router/stats"
)

// tidy deletes rotated logs that have no writer, are read to their end and
// committed by every shard, once the store has that on disk for sure.
//
// Counting goes on though nothing can be deleted: only a position that moved
// ends the session.
func (s *session) tidy(ctx context.Context) error {
	if !s.tidied.IsZero() && time.Since(s.tidied) < tidyRetry {
		return nil
	}
	err := s.advanceDeletion(ctx)
	if err == nil || errors.Is(err, stats.ErrMoved) || ctx.Err() != nil {
		return err
	}
	s.durable, s.tidied = nil, time.Now()
	s.t.cfg.Log.Warn("counted access logs stay for now", "path", s.t.cfg.Path, "error", err)
	return nil
}

// advanceDeletion takes one step: mark what is finished, or ask the store whether
// it has it on disk and delete what is marked.
func (s *session) advanceDeletion(ctx context.Context) error {
	if s.durable == nil {
		return s.markDeletable(ctx)
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
	s.deleteMarked()
	return nil
}

// deleteMarked deletes the files that were marked before the store was asked.
func (s *session) deleteMarked() {
	for _, f := range s.files {
		if !f.deletable {
			continue
		}
		f.deletable = false
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

// markDeletable marks what is finished, and asks the store to bring to disk what
// was counted of it.
func (s *session) markDeletable(ctx context.Context) error {
	found := false
	for _, f := range s.files {
		f.deletable = f.missed == 0 && s.finished(f)
		found = found || f.deletable
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
	_, size, err := fileid.Of(f.fd)
	if err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return f.src == nil && f.drained == size && lineless(f.fd, f.offset, size)
}
