package logstore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"aorta/pacemaker/cluster"
)

// errForgotten is what a caller gets who held on to an app that was forgotten.
var errForgotten = errors.New("app was forgotten")

// app is the log of one app: its segments, the last of which is written to.
type app struct {
	store *Store
	id    cluster.ID
	dir   string

	mu        sync.Mutex // guards all below, and the files' names
	loaded    bool
	forgotten bool
	segments  []segment // by first line; the last one is plain
	file      *os.File  // the last segment, open while it is written to; else nil
	unsynced  bool      // file holds what may not be on the disk yet
	loadedAt  time.Time
	written   time.Time // last append
	batches   *batches
	changed   chan struct{} // closed and replaced when there is news for followers
}

func newApp(s *Store, id cluster.ID) *app {
	return &app{store: s, id: id, dir: s.path(id), batches: newBatches(), changed: make(chan struct{})}
}

// withLock runs fn on the loaded app.
func (a *app) withLock(fn func() error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.load(); err != nil {
		return err
	}
	return fn()
}

// load reads the directory once. The torn end of the last segment is cut, so
// that the next line begins on its own.
func (a *app) load() error {
	if a.loaded || a.forgotten {
		return nil
	}
	list, err := listSegments(a.dir)
	if err != nil {
		return err
	}
	for i, s := range list {
		if s.closed {
			continue
		}
		onDisk := s.size
		if list[i], err = measure(a.dir, s, a.rememberLine); err != nil {
			return err
		}
		if i < len(list)-1 || list[i].size == onDisk {
			continue
		}
		path := filepath.Join(a.dir, s.name())
		a.store.log.Info("cut the torn end of a log segment", "path", path, "bytes", onDisk-list[i].size)
		if err := os.Truncate(path, list[i].size); err != nil {
			return fmt.Errorf("cut torn log segment: %w", err)
		}
	}
	a.segments, a.loaded = list, true
	a.loadedAt = a.store.cfg.Now()
	a.written = a.loadedAt
	return nil
}

func (a *app) rememberLine(stored []byte, r record) {
	a.batches.remember(cluster.ID(unescape(r.fields[fieldInstance])), stored)
}

// append stores lines that are not stored yet, in one write.
func (a *app) append(lines []cluster.LogLine) error {
	if a.forgotten {
		return errForgotten
	}
	if a.store.isClosed() {
		return errClosed
	}
	in := encode(lines)
	buf := in.fresh(a.batches)
	if len(buf) > 0 {
		if err := a.write(in, buf); err != nil {
			return a.diskFault(err)
		}
		a.announce()
	}
	a.written = a.store.cfg.Now()
	for id, own := range in.byInstance {
		a.batches.stored(id, own, a.written)
	}
	return nil
}

func (a *app) write(in *encoded, buf []byte) error {
	if err := a.ready(); err != nil {
		return err
	}
	active := &a.segments[len(a.segments)-1]
	if _, err := a.file.Write(buf); err != nil {
		return errors.Join(err, a.takeBack(active.size))
	}
	a.unsynced = true
	for i, l := range in.lines {
		if in.isFresh[i] {
			active.note(in.nanos[i], len(l))
		}
	}
	return nil
}

// letGo closes the file, of an app that was never loaded too.
func (a *app) letGo() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.closeFile()
}

// takeBack removes half a batch, which would be half twice when it is sent
// again. If even that fails, the file is measured anew before its next use.
func (a *app) takeBack(size int64) error {
	err := a.file.Truncate(size)
	if err != nil {
		err = errors.Join(err, a.file.Close())
		a.file, a.loaded = nil, false
	}
	return err
}

// ready sees to a segment that takes lines: of today, not full, and open.
func (a *app) ready() error {
	if a.isFull() {
		if err := a.roll(); err != nil {
			return err
		}
	}
	if a.file != nil {
		return nil
	}
	path := filepath.Join(a.dir, a.segments[len(a.segments)-1].name())
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	a.file = f
	return nil
}

// isFull tells whether the next line belongs into another segment.
func (a *app) isFull() bool {
	if len(a.segments) == 0 {
		return true
	}
	s := a.segments[len(a.segments)-1]
	return s.closed || s.size >= a.store.cfg.SegmentBytes || a.isYesterdays()
}

// isYesterdays tells whether the last segment is of another day than now.
func (a *app) isYesterdays() bool {
	if len(a.segments) == 0 {
		return false
	}
	return a.segments[len(a.segments)-1].day != a.store.cfg.Now().UTC().Format(dayLayout)
}

// roll begins a new segment. An empty one only gets the new day: there is
// always a last segment, whose name keeps the number of the next line.
func (a *app) roll() error {
	fresh := newSegment(a.store.cfg.Now(), 1)
	n := len(a.segments)
	if n > 0 {
		fresh.first = a.segments[n-1].next()
	}
	if err := a.closeFile(); err != nil {
		return err
	}
	if n > 0 && !a.segments[n-1].closed && a.segments[n-1].count == 0 {
		if err := os.Rename(filepath.Join(a.dir, a.segments[n-1].name()), filepath.Join(a.dir, fresh.name())); err != nil {
			return err
		}
		a.segments[n-1] = fresh
		return nil
	}
	if err := a.create(fresh); err != nil {
		return err
	}
	a.segments = append(slices.Clip(a.segments), fresh)
	a.store.wake()
	return nil
}

func (a *app) create(s segment) error {
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(a.dir, s.name()), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	a.file = f
	return syncDir(a.dir)
}

// closeFile syncs and closes the last segment's file; it is opened again when
// a line comes.
func (a *app) closeFile() error {
	if a.file == nil {
		return nil
	}
	// Whatever unsynced says: another goroutine may be about to sync.
	err := errors.Join(a.file.Sync(), a.file.Close())
	a.file, a.unsynced = nil, false
	if err != nil {
		return fmt.Errorf("close log segment: %w", err)
	}
	return nil
}

// announce wakes the followers.
func (a *app) announce() {
	close(a.changed)
	a.changed = make(chan struct{})
}
