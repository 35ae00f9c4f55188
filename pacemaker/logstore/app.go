package logstore

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"aorta/internal/broadcast"
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
	segments  []segment         // by first line; the last one is plain
	file      *os.File          // the last segment, open while it is written to; else nil
	unsynced  bool              // file holds what may not be on the disk yet
	written   time.Time         // last append
	positions positions         // up to where each instance's output is stored
	changed   *broadcast.Signal // there is more for followers
}

func newApp(s *Store, id cluster.ID) *app {
	return &app{store: s, id: id, dir: s.path(id), changed: broadcast.New()}
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

// load reads the directory once. Half a batch at the end of the last segment is
// cut off.
func (a *app) load() error {
	if a.loaded || a.forgotten {
		return nil
	}
	list, err := listSegments(a.dir)
	if err != nil {
		return err
	}
	a.positions = positions{}
	for i, s := range list {
		if s.closed {
			continue
		}
		m, err := measure(a.dir, s)
		if err != nil {
			return err
		}
		list[i] = m.segment
		if i == len(list)-1 {
			if list[i].size, err = a.mend(m, s.size); err != nil {
				return err
			}
			a.positions = m.positions
		}
	}
	a.segments, a.loaded = list, true
	a.written = a.store.cfg.Now()
	return nil
}

// mend leaves of the last segment what counts, and gives its size. One of before
// there were commits gets its first, so that half a batch shows from here on.
func (a *app) mend(m measured, onDisk int64) (int64, error) {
	path := filepath.Join(a.dir, m.name())
	if m.size < onDisk {
		a.store.log.Info("cut half a batch off a log segment", "path", path, "bytes", onDisk-m.size)
		if err := os.Truncate(path, m.size); err != nil {
			return 0, fmt.Errorf("cut torn log segment: %w", err)
		}
	}
	if m.committed {
		return m.size, nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return 0, fmt.Errorf("open log segment: %w", err)
	}
	n, err := f.Write(appendHead(nil, nil))
	if err := errors.Join(err, f.Close()); err != nil {
		return 0, fmt.Errorf("write the first commit of log segment %s: %w", path, err)
	}
	return m.size + int64(n), nil
}

// append stores the parts that go on where the stored output ends, in one
// write, and gives the positions of the others' instances.
func (a *app) append(parts []cluster.LogPart) ([]cluster.LogPosition, error) {
	if a.forgotten {
		return nil, errForgotten
	}
	if a.store.isClosed() {
		return nil, errClosed
	}
	now := a.store.cfg.Now()
	b := newBatch(parts, a.positions, now)
	if len(b.moved) > 0 {
		if err := a.write(b); err != nil {
			return nil, a.diskFault(err)
		}
		a.written = now
	}
	if b.lines.count > 0 {
		a.changed.Notify()
	}
	return b.refused, nil
}

func (a *app) write(b *batch) error {
	if err := a.ready(); err != nil {
		return err
	}
	active := &a.segments[len(a.segments)-1]
	buf := appendCommit(b.buf, b.moved, slices.Sorted(maps.Keys(b.moved)))
	if _, err := a.file.Write(buf); err != nil {
		return errors.Join(err, a.undo(active.size))
	}
	a.unsynced = true
	active.merge(b.lines)
	active.size += int64(len(buf))
	maps.Copy(a.positions, b.moved)
	return nil
}

// shut closes the file, of an app that was never loaded too.
func (a *app) shut() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.closeFile()
}

// undo removes half a batch, which would be half twice when it is sent
// again. If even that fails, the file is measured anew before its next use.
func (a *app) undo(size int64) error {
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

// isFull says whether the next line belongs into another segment.
func (a *app) isFull() bool {
	if len(a.segments) == 0 {
		return true
	}
	s := a.segments[len(a.segments)-1]
	return s.closed || s.size >= a.store.cfg.SegmentBytes || a.isYesterdays()
}

// isYesterdays says whether the last segment is of another day than now.
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
		fresh.size = a.segments[n-1].size
		a.segments[n-1] = fresh
		return nil
	}
	if err := a.create(&fresh); err != nil {
		return err
	}
	a.segments = append(slices.Clip(a.segments), fresh)
	a.store.wake()
	return nil
}

// create makes a segment that begins with all positions. Its name appears once
// they are on the disk: those before it may be thrown away from then on.
func (a *app) create(s *segment) error {
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		return err
	}
	a.positions = a.positions.since(a.store.cfg.Now().Add(-positionTTL))
	head := appendHead(nil, a.positions)
	path := filepath.Join(a.dir, s.name())
	f, err := os.OpenFile(path+tmpSuffix, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(head)
	if err = errors.Join(err, f.Sync()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, f.Close(), os.Remove(path+tmpSuffix))
	}
	a.file, s.size = f, int64(len(head))
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
