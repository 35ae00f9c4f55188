package logstore

import (
	"context"
	"errors"

	"aorta/pacemaker/cluster"
)

// ErrEnded is what a follower gets whose store is closed or whose app is gone.
var ErrEnded = errors.New("log ended")

// Follower reads one app's log at its reader's pace: nothing is read ahead of it,
// what it has not asked for waits on the disk, and writers never wait. Those who
// follow the same log share what is read of it. One goroutine may use it.
type Follower struct {
	app    *app
	filter filter
	next   uint64 // number of the next line to read
	at     spot   // of it, unless lines were skipped
}

// Follow gives matching lines in their order of arrival: those behind
// fromCursor, or, when that is 0, the newest q.Limit ones; then new ones as
// they come.
func (s *Store) Follow(ctx context.Context, id cluster.ID, q Query, fromCursor uint64) (*Follower, error) {
	a, err := s.app(id)
	if err != nil {
		return nil, err
	}
	f := &Follower{app: a, filter: newFilter(q)}
	f.next, err = a.startOf(ctx, f.filter, q.Limit, fromCursor)
	return f, err
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

// Next waits for the next entries and gives some, at least one: a page's at the
// most. It fails with ErrEnded, or with ctx, after which it may be asked again.
func (f *Follower) Next(ctx context.Context) ([]*Entry, error) {
	for ctx.Err() == nil {
		end, changed, err := f.app.end()
		if err != nil {
			return nil, err
		}
		if lag := f.app.store.cfg.MaxLag; end > f.next && end-f.next > lag {
			return f.skipTo(end - lag/10), nil
		}
		if f.next < end {
			found, err := f.read(ctx)
			if err != nil || len(found) > 0 {
				return found, err
			}
			continue
		}
		select {
		case <-ctx.Done():
		case <-f.app.store.done:
		case <-changed:
		}
	}
	return nil, ctx.Err()
}

// end gives the number of the line behind the last, and the signal that it has
// changed since.
func (a *app) end() (end uint64, changed <-chan struct{}, err error) {
	if a.store.isClosed() {
		return 0, nil, ErrEnded
	}
	err = a.withLock(func() error {
		if a.forgotten {
			return ErrEnded
		}
		if n := len(a.segments); n > 0 {
			end = a.segments[n-1].next()
		}
		changed = a.changed.C()
		return nil
	})
	return end, changed, err
}

// skipTo skips lines and says how many.
func (f *Follower) skipTo(seq uint64) []*Entry {
	missed := seq - f.next
	f.next = seq
	return []*Entry{{Cursor: seq - 1, Missed: missed}}
}

// read gives what matches of the page with the next line.
func (f *Follower) read(ctx context.Context) ([]*Entry, error) {
	p, err := f.app.page(ctx, f.next, f.at)
	if err != nil {
		return nil, err
	}
	if p.gap() {
		return f.skipTo(p.end.seq), nil
	}
	var found []*Entry
	for i := range p.entries {
		if e := &p.entries[i]; e.Cursor >= f.next && f.filter.matches(e.rec) {
			found = append(found, e)
		}
	}
	f.next, f.at = p.end.seq, p.end
	return found, nil
}
