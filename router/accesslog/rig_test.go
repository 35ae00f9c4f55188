package accesslog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/router/stats"
)

// memory is a Store that keeps counts of requests and fails as it is told.
type memory struct {
	mu    sync.Mutex // guards all below
	at    map[string][stats.Shards]stats.Position
	count [stats.Shards]int
	// fault is asked before each commit: an error, and whether the commit is
	// carried out nonetheless (its answer is lost).
	fault   func() (lost bool, err error)
	durable bool
	asked   int // how often it was whether it is durable
}

func newMemory() *memory {
	return &memory{at: map[string][stats.Shards]stats.Position{}, durable: true}
}

func (m *memory) Positions(_ context.Context, router string) ([stats.Shards]stats.Position, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.at[router], nil
}

func (m *memory) Commit(_ context.Context, shard int, router string, from, to stats.Position, b *stats.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var err error
	if m.fault != nil {
		var lost bool
		if lost, err = m.fault(); err != nil && !lost {
			return err
		}
	}
	at := m.at[router]
	if !at[shard].Equal(from) {
		return stats.ErrMoved
	}
	at[shard] = to.Clone()
	m.at[router] = at
	m.count[shard] += b.Len()
	return err
}

func (m *memory) Durable(context.Context) (func(context.Context) (bool, error), error) {
	return func(context.Context) (bool, error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.asked++
		return m.durable, nil
	}, nil
}

func (m *memory) set(fn func(*memory)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	fn(m)
}

func (m *memory) counts() [stats.Shards]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.count
}

var errInjected = errors.New("injected")

// logFile is an access log and its one writer, which knows what it wrote.
type logFile struct {
	tb   testing.TB
	path string
	fd   *os.File
	n    int
	want [stats.Shards]int
}

func newLogFile(tb testing.TB) *logFile {
	l := &logFile{tb: tb, path: filepath.Join(testkit.ShortDir(tb), "access.log")}
	l.open()
	tb.Cleanup(func() { _ = l.fd.Close() })
	return l
}

// open opens the log anew, as nginx does at USR1.
func (l *logFile) open() {
	l.tb.Helper()
	if l.fd != nil {
		_ = l.fd.Close()
	}
	fd, err := os.OpenFile(l.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	testkit.Must(l.tb, err)
	l.fd = fd
}

// write appends n lines of changing apps.
func (l *logFile) write(n int) {
	l.tb.Helper()
	var text strings.Builder
	for range n {
		l.n++
		app := fmt.Sprintf("app-%d", l.n%23)
		l.want[stats.ShardOf(app)]++
		text.WriteString(lineOf(l.n, app))
	}
	_, err := io.WriteString(l.fd, text.String())
	testkit.Must(l.tb, err)
}

func lineOf(n int, app string) string {
	return fmt.Sprintf(`{"time":%d.%03d,"status":200,"bytes":%d,"seconds":0.012,"upstream_seconds":"0.011","upstream_status":"200","host":"shop.example.com","app":"%s","release":"r1","type":"web","instance":"i1","node":"n1","router":"x1"}`+"\n",
		1763688000+n/1000, n%1000, n, app)
}

func (l *logFile) rename(to string) { l.tb.Helper(); testkit.Must(l.tb, os.Rename(l.path, l.path+to)) }

// copyTruncate rotates as logrotate does with that option.
func (l *logFile) copyTruncate(to string) {
	l.tb.Helper()
	text, err := os.ReadFile(l.path)
	testkit.Must(l.tb, err)
	testkit.Must(l.tb, os.WriteFile(l.path+to, text, 0o644))
	testkit.Must(l.tb, os.Truncate(l.path, 0))
}

// running is a tailer in a goroutine.
type running struct {
	*Tailer
	tb     testing.TB
	cancel func()
	stop   func()
}

// start runs a tailer until stop or the end of the test.
func (l *logFile) start(store Store, change ...func(*Config)) running {
	l.tb.Helper()
	cfg := Config{
		Path: l.path, Router: "x1", Store: store, CommitEvery: 20 * time.Millisecond,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	for _, fn := range change {
		fn(&cfg)
	}
	t := NewTailer(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := t.Run(ctx); err != nil {
			l.tb.Errorf("Run: got %v, want nil", err)
		}
	}()
	stop := func() { cancel(); <-done }
	l.tb.Cleanup(stop)
	return running{t, l.tb, cancel, stop}
}

// counted waits until each shard has what was written for it, and no more.
func (l *logFile) counted(m *memory) {
	l.tb.Helper()
	got := m.counts()
	defer func() {
		if got != l.want {
			l.tb.Logf("counted by shard:\n got %v\nwant %v", got, l.want)
		}
	}()
	testkit.Eventually(l.tb, "all lines to be counted", func() bool {
		got = m.counts()
		for shard := range got {
			if got[shard] > l.want[shard] {
				l.tb.Fatalf("shard %d: counted %d, more than the %d lines", shard, got[shard], l.want[shard])
			}
		}
		return got == l.want
	})
}

func (l *logFile) shard(app string) int { return stats.ShardOf(app) }

// stopWhen stops the tailer once cond holds.
func (r running) stopWhen(cond func() bool) {
	testkit.Eventually(r.tb, "what the tailer is to count", cond)
	r.stop()
}

// slowStore holds up the first commit and fails it if its context has ended.
type slowStore struct {
	*memory
	once             sync.Once
	entered, release chan struct{}
}

func (s *slowStore) Commit(ctx context.Context, shard int, router string, from, to stats.Position, b *stats.Batch) error {
	s.once.Do(func() { close(s.entered); <-s.release })
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.memory.Commit(ctx, shard, router, from, to, b)
}

// brokenDisk is a store that can't bring anything to its disk.
type brokenDisk struct{ *memory }

func (brokenDisk) Durable(context.Context) (func(context.Context) (bool, error), error) {
	return nil, errInjected
}
