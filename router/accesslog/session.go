package accesslog

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"aorta/internal/fileid"
	"aorta/internal/tick"
	"aorta/router/stats"
)

const (
	scanEvery   = 250 * time.Millisecond
	closerEvery = 2 * time.Second // for logs that seem not to have changed
	idleCommit  = 5 * time.Second // for a shard without hits
	lastCommit  = 2 * time.Second // after the end of Run's context
	maxDrains   = 4               // rotated logs that are read at once
	goneScans   = 10              // scans without a file before it is forgotten
	doubtScans  = 5               // scans that wait for the tail to see a truncation
	reopenEvery = time.Second
	tidyRetry   = 10 * time.Second
)

// session is the reading from one set of stored positions until something
// fails. Its loop owns the files; the sources' goroutines deliver lines.
type session struct {
	t      *Tailer
	stored [stats.Shards]stats.Position
	wrote  [stats.Shards]time.Time // when the shard's position was last moved

	files    []*file            // oldest first
	active   *file              // the file at the path; nil while that is empty or missing
	atPath   string             // fileid.ID.File of the file at the path
	onDisk   map[fileid.ID]bool // what the last scan found
	blind    bool               // it could not read all
	sources  []*source
	durable  func(context.Context) (bool, error) // of the deletable files; nil when there are none
	reopened time.Time
	seen     sight     // before the last scan
	scanned  time.Time // when that began
	tidied   time.Time // when deleting failed last
	progress bool

	mu     sync.Mutex // guards adder, closed and the upper part of each file
	room   *sync.Cond // signalled when adder was emptied or closed set
	adder  *adder
	closed bool
}

func newSession(t *Tailer, stored [stats.Shards]stats.Position) *session {
	s := &session{t: t, stored: stored, files: known(stored), adder: newAdder(), onDisk: map[fileid.ID]bool{}}
	s.room = sync.NewCond(&s.mu)
	return s
}

// run reads and commits until ctx ends or something fails.
func (s *session) run(ctx context.Context) error {
	if err := s.poll(ctx); err != nil {
		return err
	}
	scan := time.NewTimer(tick.Until(scanEvery))
	defer scan.Stop()
	commit := time.NewTimer(s.pause())
	defer commit.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return s.end(ctx)
		case <-scan.C:
			err = s.poll(ctx)
			scan.Reset(tick.Until(scanEvery))
		case <-commit.C:
			err = s.flush(ctx, false)
			commit.Reset(s.pause())
		}
		// What a failed commit took is in doubt: nothing may follow it.
		if err != nil {
			return err
		}
	}
}

func (s *session) pause() time.Duration { return tick.Until(s.t.cfg.CommitEvery) }

// end commits what was added up until ctx ended.
func (s *session) end(ctx context.Context) error {
	s.halt()
	return s.flush(ctx, true)
}

// outliving is a context that ends a while after ctx: a commit that is cut off
// by a planned stop would leave its lines to the next start.
func outliving(ctx context.Context) (context.Context, context.CancelFunc) {
	long, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(lastCommit, cancel)
		context.AfterFunc(long, func() { timer.Stop() })
	})
	return long, func() { unhook(); cancel() }
}

// halt stops all reading and waits for it.
func (s *session) halt() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.room.Broadcast()
	for _, src := range s.sources {
		src.kill()
	}
	for _, src := range s.sources {
		<-src.done
	}
	s.sources = nil
}

// close stops what runs and closes all files.
func (s *session) close() {
	s.halt()
	for _, f := range s.files {
		if f.fd != nil {
			_ = f.fd.Close()
		}
	}
}

// receive is called by the source of f for each of its lines.
func (s *session) receive(f *file, src *source, text string, truncated bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for (s.adder.lines >= s.t.cfg.MaxBacklog || s.adder.size >= stats.MaxSize) && !s.closed {
		s.room.Wait()
	}
	if s.closed || f.src != src {
		return false
	}
	if truncated {
		f.truncated = true
		return false
	}
	f.offset += int64(len(text)) + 1
	s.adder.add(text, f.offset, f)
	return true
}

// sum is what is committed together.
type sum struct {
	batches  [stats.Shards]*stats.Batch
	to       [stats.Shards]stats.Position
	rejected int
	latest   int64
}

// flush commits what was taken since the last one. With all set, shards without
// hits move their position too, however recently they did.
func (s *session) flush(ctx context.Context, all bool) error {
	taken, ok, err := s.collect()
	if err != nil || !ok {
		return err
	}
	ctx, cancel := outliving(ctx)
	defer cancel()
	for shard, b := range taken.batches {
		due := all || b.Len() > 0 || time.Since(s.wrote[shard]) > idleCommit
		if !due || (b.Len() == 0 && s.stored[shard].Equal(taken.to[shard])) {
			continue
		}
		err := s.t.cfg.Store.Commit(ctx, shard, s.t.cfg.Router, s.stored[shard], taken.to[shard], b)
		if err != nil {
			return fmt.Errorf("commit shard %d: %w", shard, err)
		}
		s.stored[shard], s.wrote[shard] = taken.to[shard], time.Now()
		s.progress = true
	}
	s.t.note(taken)
	return nil
}

// collect takes the counters and the positions that belong to them. It takes
// nothing (false) while it isn't clear what of it was truncated.
func (s *session) collect() (*sum, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.files {
		if f.src == nil || f.truncated {
			continue
		}
		// A log that was emptied and filled again beyond our offset, unseen
		// by the tail, yields nonsense. Its first line tells, and what was
		// read before it still stood there is sound.
		head, err := fileid.Head(f.fd)
		if err != nil {
			return nil, false, err
		}
		if head != f.id.Head {
			return nil, false, nil
		}
	}
	taken := &sum{
		batches: s.adder.batches, to: positions(s.files),
		rejected: s.adder.rejected, latest: s.adder.latest,
	}
	s.adder.renew()
	s.room.Broadcast()
	return taken, true, nil
}

// settled says that every shard's stored position covers f up to its end.
func (s *session) settled(f *file) bool {
	s.mu.Lock()
	end := f.offset
	s.mu.Unlock()
	key := f.id.Key()
	return !slices.ContainsFunc(s.stored[:], func(p stats.Position) bool { return p[key] < end })
}
