package logstore

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"
	"time"

	"aorta/pacemaker/cluster"
)

// MaxLimit is the most lines that one query gives.
const MaxLimit = 50_000

// Query says which lines of an app are wanted; zero fields leave it open.
type Query struct {
	Type       string
	Instance   cluster.ID
	Since      time.Time // inclusive
	Until      time.Time // exclusive
	Search     string    // part of the text
	IgnoreCase bool      // for Search
	Limit      int       // the newest so many; 0 means MaxLimit in Query and none in Follow
}

// Query gives the newest lines that match, oldest first. An app without a log
// has none.
func (s *Store) Query(ctx context.Context, id cluster.ID, q Query) ([]cluster.LogLine, error) {
	a, err := s.app(id)
	if err != nil {
		return nil, err
	}
	if q.Limit <= 0 || q.Limit > MaxLimit {
		q.Limit = MaxLimit
	}
	list, err := a.newestFirst()
	if err != nil {
		return nil, err
	}
	f, n := newFilter(q), newest{limit: q.Limit, floor: math.MinInt64}
	for _, seg := range list {
		if seg.maxT < n.floor {
			break
		}
		if err := a.search(ctx, seg, f, &n); err != nil {
			return nil, err
		}
	}
	return n.inOrder(), nil
}

// InstanceCalled finds the instance that people call so (its short id, web.short)
// among those with lines in the app's log, also when it is long gone; "" for none.
func (s *Store) InstanceCalled(ctx context.Context, id cluster.ID, name string) (cluster.ID, error) {
	a, err := s.app(id)
	if err != nil {
		return "", err
	}
	list, err := a.newestFirst()
	if err != nil {
		return "", err
	}
	var found cluster.ID
	for _, seg := range list {
		if seg.count == 0 {
			continue
		}
		_, err := a.scan(ctx, seg, seg.start(), func(r record) bool {
			in := cluster.Instance{ID: cluster.ID(r.fields[fieldInstance]), Type: string(r.fields[fieldType])}
			if in.IsCalled(name) {
				found = in.ID
			}
			return found == ""
		})
		if err := a.tolerate(ctx, err); err != nil || found != "" {
			return found, err
		}
	}
	return "", nil
}

// newestFirst is a snapshot in the order of what the segments hold. Lines come late
// from nodes that were cut off, so a segment's rank is its newest line, not its
// number.
func (a *app) newestFirst() ([]segment, error) {
	list, err := a.snapshot()
	slices.SortStableFunc(list, func(x, y segment) int { return cmp.Compare(y.maxT, x.maxT) })
	return list, err
}

// snapshot is the list of segments as of now, with its own copy.
func (a *app) snapshot() (list []segment, err error) {
	err = a.withLock(func() error {
		list = slices.Clone(a.segments)
		return nil
	})
	return list, err
}

func (a *app) search(ctx context.Context, seg segment, f filter, n *newest) error {
	if !f.mayHold(seg) {
		return nil
	}
	_, err := a.scan(ctx, seg, seg.start(), func(r record) bool {
		if r.nano >= n.floor && f.matches(r) {
			n.add(hit{nano: r.nano, seq: r.seq, line: r.line(a.id)})
		}
		return true
	})
	return a.tolerate(ctx, err)
}

// errGone is a segment that was thrown away since it was looked up.
var errGone = errors.New("log segment is gone")

// tolerate lets one unreadable segment not hide the others.
func (a *app) tolerate(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	if err != nil && !errors.Is(err, errGone) {
		a.store.log.Error("part of a log can't be read", "app", a.id, "error", err)
	}
	return nil
}

// scan is scan of a segment that may be compressed or thrown away meanwhile,
// and it ends with ctx.
func (a *app) scan(ctx context.Context, seg segment, from place, visit func(record) bool) (place, error) {
	seen := 0
	watched := func(r record) bool {
		if seen++; seen%4096 == 0 && ctx.Err() != nil {
			return false
		}
		return visit(r)
	}
	at, err := scan(a.dir, seg, from, watched)
	if errors.Is(err, fs.ErrNotExist) {
		now, found, serr := a.find(seg.first)
		if serr != nil || !found {
			return from, errors.Join(errGone, serr)
		}
		at, err = scan(a.dir, now, from, watched)
	}
	if ctx.Err() != nil {
		return at, fmt.Errorf("read the log of app %s: %w", a.id, ctx.Err())
	}
	return at, err
}

// find gives the segment that begins with this line as it is now.
func (a *app) find(first uint64) (segment, bool, error) {
	list, err := a.snapshot()
	i := slices.IndexFunc(list, func(s segment) bool { return s.first == first })
	if err != nil || i < 0 {
		return segment{}, false, err
	}
	return list[i], true, nil
}

// filter is a Query made ready for records.
type filter struct {
	since, until int64
	instance     []byte
	typ          []byte
	search       []byte
	ignoreCase   bool
}

func newFilter(q Query) filter {
	f := filter{
		since: math.MinInt64, until: math.MaxInt64,
		instance: []byte(q.Instance), typ: []byte(q.Type),
		search: []byte(q.Search), ignoreCase: q.IgnoreCase,
	}
	if q.IgnoreCase {
		f.search = []byte(strings.ToLower(q.Search))
	}
	if !q.Since.IsZero() {
		f.since = q.Since.UnixNano()
	}
	if !q.Until.IsZero() {
		f.until = q.Until.UnixNano()
	}
	return f
}

func (f filter) mayHold(s segment) bool {
	return s.count > 0 && s.maxT >= f.since && s.minT < f.until
}

func (f filter) matches(r record) bool {
	if r.nano < f.since || r.nano >= f.until {
		return false
	}
	if len(f.instance) > 0 && !bytes.Equal(f.instance, r.fields[fieldInstance]) {
		return false
	}
	if len(f.typ) > 0 && !bytes.Equal(f.typ, r.fields[fieldType]) {
		return false
	}
	return len(f.search) == 0 || f.found(r.fields[fieldText])
}

func (f filter) found(text []byte) bool {
	if bytes.IndexByte(text, '\\') >= 0 {
		text = []byte(unescape(text))
	}
	if f.ignoreCase {
		text = bytes.ToLower(text)
	}
	return bytes.Contains(text, f.search)
}
