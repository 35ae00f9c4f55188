package logstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"

	"aorta/internal/tick"
)

const (
	syncInterval = time.Second
	tidyInterval = time.Minute
	// idleAfter is when an app's file is closed.
	idleAfter = 10 * time.Minute
)

// Run syncs what was appended once a second, closes segments at the end of the
// day, compresses closed ones, and deletes what is too old or too much.
// What fails is logged and tried again. Run ends with ctx.
func (s *Store) Run(ctx context.Context) error {
	s.tidy(ctx)
	syncTick := time.NewTimer(tick.Until(syncInterval))
	defer syncTick.Stop()
	tidyTick := time.NewTimer(jittered(tidyInterval))
	defer tidyTick.Stop()
	for {
		select {
		case <-ctx.Done():
			s.syncAll()
			return nil
		case <-syncTick.C:
			s.syncAll()
			syncTick.Reset(tick.Until(syncInterval))
		case <-s.sealed:
			s.tidyKnown(ctx)
		case <-tidyTick.C:
			s.tidy(ctx)
			tidyTick.Reset(jittered(tidyInterval))
		}
	}
}

func jittered(d time.Duration) time.Duration {
	return d*9/10 + rand.N(d/5)
}

// wake lets Run know that there is something to compress.
func (s *Store) wake() {
	select {
	case s.sealed <- struct{}{}:
	default:
	}
}

func (s *Store) syncAll() {
	for _, a := range s.known() {
		if err := a.syncFile(); err != nil {
			s.log.Error("log lines may not survive a power loss", "app", a.id, "error", err)
		}
	}
}

// syncFile syncs without holding up appends.
func (a *app) syncFile() error {
	a.mu.Lock()
	f, unsynced := a.file, a.unsynced
	a.unsynced = false
	a.mu.Unlock()
	if f == nil || !unsynced {
		return nil
	}
	err := f.Sync()
	if err == nil || errors.Is(err, os.ErrClosed) { // closing syncs too
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.unsynced = true
	return fmt.Errorf("sync log segment: %w", err)
}

// tidy is a full pass, also over apps that were not read since the start.
func (s *Store) tidy(ctx context.Context) {
	ids, err := s.Kept()
	if err != nil {
		s.log.Error("log store can't be tidied", "error", err)
		return
	}
	for _, id := range ids {
		// It fails on a store that is closing, which needs no tidying.
		_, _ = s.app(id)
	}
	s.tidyKnown(ctx)
}

func (s *Store) tidyKnown(ctx context.Context) {
	for _, a := range s.known() {
		if ctx.Err() != nil {
			return
		}
		if err := a.tidy(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("log of an app can't be tidied", "app", a.id, "error", err)
		}
	}
}

func (a *app) tidy(ctx context.Context) error {
	err := a.withLock(a.rest)
	// Room first: compressing needs some.
	err = errors.Join(err, a.withLock(a.expire))
	for ctx.Err() == nil {
		seg, found, serr := a.nextSealed()
		if serr != nil || !found {
			return errors.Join(err, serr)
		}
		cerr := a.compress(seg)
		if _, still, _ := a.find(seg.first); cerr != nil && still {
			return errors.Join(err, cerr)
		}
	}
	return err
}

// rest ends the day of an app that prints nothing, and unloads an idle one.
func (a *app) rest() error {
	if a.forgotten {
		return nil
	}
	now := a.store.cfg.Now()
	if now.Sub(a.written) > idleAfter {
		if err := a.closeFile(); err != nil {
			return err
		}
	}
	if a.isYesterdays() && a.segments[len(a.segments)-1].count > 0 {
		return a.roll()
	}
	return nil
}

// expire throws away the oldest segments, never the one being written.
func (a *app) expire() error {
	oldest := a.store.cfg.Now().Add(-a.store.cfg.MaxAge)
	var total int64
	for _, s := range a.segments {
		total += s.size
	}
	for len(a.segments) > 1 && !a.forgotten {
		s := a.segments[0]
		if total <= a.store.cfg.MaxBytesPerApp && !s.olderThan(oldest) {
			return nil
		}
		if err := os.Remove(filepath.Join(a.dir, s.name())); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("throw away a log segment: %w", err)
		}
		total -= s.size
		a.segments = slices.Clone(a.segments[1:])
	}
	return nil
}

// nextSealed finds a segment that is full and not compressed yet.
func (a *app) nextSealed() (segment, bool, error) {
	list, err := a.snapshot()
	for i, s := range list {
		if !s.closed && i < len(list)-1 {
			return s, true, err
		}
	}
	return segment{}, false, err
}

// compress replaces a sealed segment by its compressed form. A kill at any
// point leaves one of the two, or both, of which listSegments keeps one.
func (a *app) compress(s segment) error {
	done := s
	done.closed = true
	final := filepath.Join(a.dir, done.name())
	size, err := compressFile(filepath.Join(a.dir, s.name()), final, s.size)
	if err != nil {
		return fmt.Errorf("compress log segment %s: %w", s.name(), err)
	}
	done.size = size
	return a.withLock(func() error {
		i := slices.IndexFunc(a.segments, func(x segment) bool { return x.first == s.first && !x.closed })
		if i < 0 || a.forgotten {
			return os.RemoveAll(final) // thrown away meanwhile
		}
		a.segments[i] = done
		return os.Remove(filepath.Join(a.dir, s.name()))
	})
}

// compressFile writes the first size bytes of from to a new file and gives the
// length of that. The name to appears when all of it is on the disk.
func compressFile(from, to string, size int64) (int64, error) {
	in, err := os.Open(from)
	if err != nil {
		return 0, err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to+tmpSuffix, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.Remove(out.Name()) }()
	z, err := zstd.NewWriter(out, zstd.WithEncoderConcurrency(1))
	if err == nil {
		_, err = io.CopyN(z, in, size)
		err = errors.Join(err, z.Close(), out.Sync())
	}
	length, serr := out.Seek(0, io.SeekEnd)
	if err = errors.Join(err, serr, out.Close()); err != nil {
		return 0, err
	}
	if err := os.Rename(out.Name(), to); err != nil {
		return 0, err
	}
	return length, syncDir(filepath.Dir(to))
}
