package logstore

import (
	"context"
	"errors"
	"slices"
)

// page gives the page with the line, which is there; at is its spot, if it is known. Where one is read, the others
// who want it wait for that: the store reads few at a time, so that those who are
// far behind are not felt by those who are not.
func (a *app) page(ctx context.Context, seq uint64, at spot) (*page, error) {
	if p := a.store.pages.find(a, seq); p != nil {
		return p, nil
	}
	select {
	case a.store.reading <- struct{}{}:
		defer func() { <-a.store.reading }()
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-a.store.done:
		return nil, ErrEnded
	}
	if p := a.store.pages.find(a, seq); p != nil {
		return p, nil
	}
	p, err := a.readPage(ctx, seq, at)
	if err != nil {
		return nil, err
	}
	a.store.pages.keep(p)
	return p, nil
}

// readPage reads lines from a number on. What is gone, and what can't be read, is
// a gap up to the next segment.
func (a *app) readPage(ctx context.Context, seq uint64, at spot) (*page, error) {
	list, err := a.snapshot()
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(list, func(s segment) bool { return seq < s.next() })
	switch {
	case i < 0:
		return nil, ErrEnded // it was there: the app was forgotten meanwhile
	case seq < list[i].first:
		return a.gap(seq, list[i].first), nil
	}
	seg, from := list[i], list[i].start()
	if at.segment == seg.first && at.seq == seq {
		from = at.place
	}
	p := &page{app: a, first: seq, end: spot{segment: seg.first}}
	p.end.place, err = a.scan(ctx, seg, from, func(r record) bool { return r.seq < seq || p.add(r) })
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if len(p.entries) > 0 || err == nil && p.end.seq > seq {
		return p, nil // what can't be read behind it shows with the next page
	}
	if !errors.Is(err, errGone) {
		a.store.log.Error("part of a log can't be read", "app", a.id, "error", err)
	}
	return a.gap(seq, seg.next()), nil
}

// gap is a page of lines that nobody can read.
func (a *app) gap(from, to uint64) *page {
	return &page{app: a, first: from, end: spot{place: place{seq: to}}}
}
