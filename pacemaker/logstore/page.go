package logstore

import (
	"bytes"
	"sync"

	"aorta/pacemaker/cluster"
)

// The bounds of a page: a reader who is slow holds one.
const (
	pageBytes = 64 << 10 // of stored lines, and the last one
	pageLines = 512
)

// Entry is what a follower gets: a line, or the news that lines were missed. It is
// shared by all who follow the log, and not to be changed.
type Entry struct {
	// Cursor rises from entry to entry, also over restarts. Following from it
	// goes on behind this entry.
	Cursor uint64
	// Missed is how many of the app's lines, matching or not, were passed over
	// here: the reader was too slow or away for too long. There is no line then.
	Missed uint64

	app  cluster.ID
	rec  record // with bytes of its own
	once sync.Once
	form []byte
}

// Line is the line.
func (e *Entry) Line() cluster.LogLine { return e.rec.line(e.app) }

// Form is what render makes of the entry, made once for all of its readers: they
// all must render alike.
func (e *Entry) Form(render func(*Entry) []byte) []byte {
	e.once.Do(func() { e.form = render(e) })
	return e.form
}

// page is some lines of an app's log one after another, read once for all its
// followers.
type page struct {
	app     *app
	first   uint64 // number of the first line
	end     spot   // behind the last one
	entries []Entry
	bytes   int // of the entries
}

// spot is a place, and the segment that it is in, by its first line.
type spot struct {
	place
	segment uint64
}

// gap says whether the page's lines are gone, or can't be read.
func (p *page) gap() bool { return p.end.segment == 0 }

// add takes a line, and says whether there is room for another.
func (p *page) add(r record) bool {
	own := r.clone()
	for _, field := range own.fields {
		p.bytes += len(field)
	}
	p.entries = append(p.entries, Entry{Cursor: r.seq, app: p.app.id, rec: own})
	return p.bytes < pageBytes && len(p.entries) < pageLines
}

// clone is the record with bytes of its own.
func (r record) clone() record {
	whole := bytes.Join(r.fields[:], nil)
	for i, field := range r.fields {
		r.fields[i], whole = whole[:len(field):len(field)], whole[len(field):]
	}
	return r
}

// maxKept bounds the pages that are kept for those who come after.
const maxKept = 64

// pages are those that were read last, of all apps.
type pages struct {
	mu   sync.Mutex // guards kept
	kept []*page    // the one that was asked for last is the last
}

// find gives the page that has the line, nil for none.
func (c *pages) find(a *app, seq uint64) *page {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := len(c.kept) - 1; i >= 0; i-- {
		p := c.kept[i]
		if p.app == a && p.first <= seq && seq < p.end.seq {
			copy(c.kept[i:], c.kept[i+1:])
			c.kept[len(c.kept)-1] = p
			return p
		}
	}
	return nil
}

// keep takes a page, in place of the one that nobody has asked for longest.
func (c *pages) keep(p *page) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.kept) >= maxKept {
		copy(c.kept, c.kept[1:])
		c.kept = c.kept[:len(c.kept)-1]
	}
	c.kept = append(c.kept, p)
}
