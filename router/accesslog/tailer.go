package accesslog

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"aorta/router/stats"
)

// Store is where the counters and the positions lie; *stats.Store is one.
type Store interface {
	// Positions are the router's stored positions.
	Positions(ctx context.Context, router string) ([stats.Shards]stats.Position, error)
	// Commit adds b to a shard and moves its position from from to to in one
	// step, or returns stats.ErrMoved when the stored position isn't from.
	Commit(ctx context.Context, shard int, router string, from, to stats.Position, b *stats.Batch) error
	// Durable returns a function that says whether everything committed before
	// the call to Durable is on the store's disk for sure.
	Durable(ctx context.Context) (mark func(context.Context) (bool, error), err error)
}

// Config says what to follow and where to count it.
type Config struct {
	Path   string // of the access log; rotated ones are Path + "." + anything
	Router string // this router's id
	Store  Store
	Log    *slog.Logger // nil: slog.Default

	// Reopen makes nginx open its log again (USR1). With it the tailer rotates
	// the log and deletes what it rotated; nil leaves rotation to others.
	Reopen      func() error
	RotateBytes int64         // rotate beyond this size; 0: 64 MiB
	CommitEvery time.Duration // 0: 500 ms
	MaxBacklog  int           // lines in memory beyond which reading waits; 0: 2^19
}

func (c *Config) fill() {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.RotateBytes <= 0 {
		c.RotateBytes = 64 << 20
	}
	if c.CommitEvery <= 0 {
		c.CommitEvery = 500 * time.Millisecond
	}
	if c.MaxBacklog <= 0 {
		c.MaxBacklog = 1 << 19
	}
}

// Tailer follows one router's access log.
type Tailer struct {
	cfg Config

	mu sync.Mutex // guards what follows

	committed map[string]int64 // least committed offset by file key
	counted   time.Time        // time of the last line that is committed
	caughtUp  time.Time        // when all lines were last seen to be counted
	rejected  uint64
}

// NewTailer makes a tailer; Run starts it.
func NewTailer(cfg Config) *Tailer {
	cfg.fill()
	return &Tailer{cfg: cfg}
}

// How long a tailer waits after a failure before it reads the positions again.
const (
	minRetryWait = 100 * time.Millisecond
	maxRetryWait = 2 * time.Second
)

// Run follows the log until ctx ends, then commits what it has added up, for at
// most two seconds. While the store can't be reached nothing is read: the log
// waits on disk. It returns nil.
func (t *Tailer) Run(ctx context.Context) error {
	wait, said := minRetryWait, ""
	for {
		progress, err := t.follow(ctx)
		if ctx.Err() != nil {
			if err != nil && !errors.Is(err, context.Canceled) {
				t.cfg.Log.Warn("last commit of the access log failed, its lines are counted after the next start", "error", err)
			}
			return nil
		}
		if progress {
			wait, said = minRetryWait, ""
		}
		if text := err.Error(); text != said {
			t.cfg.Log.Warn("counting the access log starts again at the stored position", "path", t.cfg.Path, "error", err)
			said = text
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait/2 + rand.N(wait)):
		}
		wait = min(2*wait, maxRetryWait)
	}
}

// follow is one session: from the stored positions until something fails. It
// reports whether anything was committed.
func (t *Tailer) follow(ctx context.Context) (progress bool, err error) {
	stored, err := t.cfg.Store.Positions(ctx, t.cfg.Router)
	if err != nil {
		return false, err
	}
	s := newSession(t, stored)
	err = s.run(ctx)
	s.close()
	return s.progress, err
}

// note keeps what Lag and Rejected report.
func (t *Tailer) note(taken *sum) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rejected += uint64(taken.rejected)
	if taken.latest > 0 {
		t.counted = time.Unix(0, taken.latest)
	}
	// A shard without hits may be behind in Redis; its lines are counted all
	// the same.
	t.committed = taken.to[0].Clone()
	for _, position := range taken.to[1:] {
		for key, offset := range position {
			t.committed[key] = min(t.committed[key], offset)
		}
	}
}

// Rejected is how many committed lines were no records.
func (t *Tailer) Rejected() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.rejected
}

// Lag is how much of the log on disk isn't counted yet, in bytes, and how old
// the counts are: the age of the last line that was counted, or the time since all
// were, if that is less, as after an hour without a request; 0 when all are.
func (t *Tailer) Lag() (bytes int64, age time.Duration) {
	found, _, err := list(t.cfg.Path)
	if err != nil {
		t.cfg.Log.Warn("measure the access log's backlog", "error", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range found {
		_ = f.fd.Close()
		bytes += max(0, f.size-max(t.committed[f.id.Key()], t.committed[f.id.Key()+copyMark]))
	}
	now := time.Now()
	if bytes == 0 && err == nil {
		t.caughtUp = now
	}
	since := t.counted
	if t.caughtUp.After(since) {
		since = t.caughtUp
	}
	if bytes > 0 && !since.IsZero() {
		age = max(0, now.Sub(since))
	}
	return bytes, age
}
