package logstore

import (
	"context"
	"errors"
	"slices"

	"aorta/pacemaker/cluster"
)

// Entry is what a follower gets: a line, or the news that lines were missed.
type Entry struct {
	// Cursor rises from entry to entry, also over restarts. Following from it
	// goes on behind this entry.
	Cursor uint64
	Line   cluster.LogLine
	// Missed is how many of the app's lines, matching or not, were passed over
	// here: the reader was too slow or away for too long. Line is empty then.
	Missed uint64
}

// Follow gives matching lines in their order of arrival: those behind
// fromCursor, or, when that is 0, the newest q.Limit ones; then new ones as
// they come. The channel is closed when ctx ends, the store closes, the app is
// forgotten, or the disk fails. Readers may be slow: lines wait on the disk,
// and writers never wait.
func (s *Store) Follow(ctx context.Context, id cluster.ID, q Query, fromCursor uint64) (<-chan Entry, error) {
	a, err := s.app(id)
	if err != nil {
		return nil, err
	}
	f := &follower{app: a, filter: newFilter(q), out: make(chan Entry, 64)}
	if f.next, err = a.startOf(ctx, f.filter, q.Limit, fromCursor); err != nil {
		return nil, err
	}
	// Close waits for the group, so it must not grow once that has begun.
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut {
		return nil, errClosed
	}
	// Ends with ctx, with the store or with the app.
	s.followers.Go(func() {
		defer close(f.out)
		err := f.run(ctx)
		if err != nil && ctx.Err() == nil && !errors.Is(err, errEnded) {
			s.log.Error("follower of a log stopped", "app", id, "error", err)
		}
	})
	return f.out, nil
}

// startOf finds the number of the first line that a follower gets.
func (a *app) startOf(ctx context.Context, f filter, limit int, fromCursor uint64) (uint64, error) {
	list, err := a.snapshot()
	if err != nil || len(list) == 0 {
		return 1, err
	}
	end := list[len(list)-1].next()
	if fromCursor >= end {
		return end, nil
	}
	if fromCursor > 0 {
		return fromCursor + 1, nil
	}
	for i := len(list) - 1; i >= 0 && limit > 0; i-- {
		if !f.mayHold(list[i]) {
			continue
		}
		var seqs []uint64
		_, err := a.scan(ctx, list[i], list[i].start(), func(r record) bool {
			if f.matches(r) {
				seqs = append(seqs, r.seq)
			}
			return true
		})
		if err := a.tolerate(ctx, err); err != nil {
			return 0, err
		}
		if n := min(limit, len(seqs)); n > 0 {
			end, limit = seqs[len(seqs)-n], limit-n
		}
	}
	return end, nil
}

// errEnded ends a follower whose store or app is gone.
var errEnded = errors.New("log ended")

// follower reads one app's log from the disk, at its reader's pace.
type follower struct {
	app    *app
	filter filter
	out    chan Entry
	next   uint64 // number of the next line to read

	// Where next lies, if hint.seq is next: inside the segment that begins
	// with hintFirst.
	hint      place
	hintFirst uint64
}

func (f *follower) run(ctx context.Context) error {
	for {
		list, changed, err := f.app.watch()
		if err != nil {
			return err
		}
		if err := f.catchUp(ctx, list); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-f.app.store.done:
			return errEnded
		case <-changed:
		}
	}
}

// watch gives the segments and the signal that they changed since.
func (a *app) watch() (list []segment, changed <-chan struct{}, err error) {
	err = a.withLock(func() error {
		if a.forgotten {
			return errEnded
		}
		list, changed = slices.Clone(a.segments), a.changed.C()
		return nil
	})
	return list, changed, err
}

// catchUp reads all that is there.
func (f *follower) catchUp(ctx context.Context, list []segment) error {
	if len(list) == 0 {
		return nil
	}
	end := list[len(list)-1].next()
	if lag := f.app.store.cfg.MaxLag; end > f.next && end-f.next > lag {
		if err := f.skipTo(ctx, end-lag/10); err != nil {
			return err
		}
	}
	for _, seg := range list {
		if f.next >= seg.next() {
			continue
		}
		if f.app.store.isClosed() {
			return errEnded
		}
		if f.next < seg.first {
			if err := f.skipTo(ctx, seg.first); err != nil {
				return err
			}
		}
		if err := f.read(ctx, seg); err != nil {
			return err
		}
	}
	return nil
}

// skipTo skips lines and emits how many.
func (f *follower) skipTo(ctx context.Context, seq uint64) error {
	missed := seq - f.next
	f.next = seq
	return f.send(ctx, Entry{Cursor: seq - 1, Missed: missed})
}

func (f *follower) read(ctx context.Context, seg segment) error {
	from := seg.start()
	if f.hintFirst == seg.first && f.hint.seq == f.next {
		from = f.hint
	}
	var sendErr error
	at, err := f.app.scan(ctx, seg, from, func(r record) bool {
		if r.seq >= f.next && f.filter.matches(r) {
			sendErr = f.send(ctx, Entry{Cursor: r.seq, Line: r.line(f.app.id)})
		}
		return sendErr == nil
	})
	if sendErr != nil || ctx.Err() != nil {
		return errors.Join(sendErr, ctx.Err())
	}
	f.next, f.hint, f.hintFirst = at.seq, at, seg.first
	if err == nil {
		return nil
	}
	if !errors.Is(err, errGone) {
		f.app.store.log.Error("part of a log can't be read", "app", f.app.id, "error", err)
	}
	return f.skipTo(ctx, seg.next())
}

func (f *follower) send(ctx context.Context, e Entry) error {
	select {
	case f.out <- e:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-f.app.store.done:
		return errEnded
	}
}
