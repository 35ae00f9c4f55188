package logs

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"aorta/heart/docker"
	"aorta/internal/pause"
	"aorta/pacemaker/cluster"
)

// Source is where the lines are read.
type Source interface {
	Output(ctx context.Context, id cluster.ID, since time.Time, follow bool) (*docker.Output, error)
}

// Sink is where they go. An error means that none of the batch arrived.
type Sink interface {
	ShipLogs(ctx context.Context, batch []cluster.LogLine) error
}

// Options of a shipper.
type Options struct {
	Dir  string // positions are kept here, one file per instance
	Node string // name in each line
	Log  *slog.Logger
}

// The bounds of a batch, and of what is read ahead of the sink.
const (
	batchLines = 256
	batchBytes = 512 << 10 // of text
	batchDelay = 200 * time.Millisecond
	shipLimit  = 15 * time.Second
	stopLimit  = 2 * time.Second
	readAhead  = 1024
)

// entry is a line on its way, with the mark to set once it has arrived.
type entry struct {
	line   cluster.LogLine
	from   *follower // nil for the platform's own words
	marked mark
}

// Shipper follows containers and ships their output.
//
// A batch's positions are written right after the sink took it: a kill between
// the two ships at most one batch twice, and nothing is ever left out.
type Shipper struct {
	source Source
	sink   Sink
	dir    string
	node   string
	log    *slog.Logger
	lines  chan entry

	// mu guards followers and ctx.
	mu        sync.Mutex
	followers map[cluster.ID]*follower
	ctx       context.Context // of Run; nil before it
	wg        sync.WaitGroup
}

// New makes a shipper; its directory is made when it is missing.
func New(source Source, sink Sink, o Options) (*Shipper, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of log positions: %w", err)
	}
	return &Shipper{
		source: source, sink: sink, dir: o.Dir, node: o.Node, log: o.Log,
		lines: make(chan entry, readAhead), followers: map[cluster.ID]*follower{},
	}, nil
}

// Run ships until ctx ends, which also ends every follower.
func (s *Shipper) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	s.ctx = ctx
	for _, f := range s.followers {
		s.launch(f)
	}
	s.mu.Unlock()
	for ctx.Err() == nil {
		s.ship(ctx, s.gather(ctx))
	}
	s.wg.Wait()
	return ctx.Err()
}

// gather waits for a line, then takes what comes within the delay, up to a
// batch's bounds.
func (s *Shipper) gather(ctx context.Context) []entry {
	var batch []entry
	select {
	case <-ctx.Done():
		return nil
	case e := <-s.lines:
		batch = append(batch, e)
	}
	late := time.NewTimer(batchDelay)
	defer late.Stop()
	size := len(batch[0].line.Text)
	for len(batch) < batchLines && size < batchBytes {
		select {
		case <-ctx.Done():
			return nil
		case <-late.C:
			return batch
		case e := <-s.lines:
			batch = append(batch, e)
			size += len(e.line.Text)
		}
	}
	return batch
}

// ship delivers the batch, however long that takes; meanwhile followers stop
// reading and the engine's files hold what comes.
func (s *Shipper) ship(ctx context.Context, batch []entry) {
	if len(batch) == 0 {
		return
	}
	lines := make([]cluster.LogLine, len(batch))
	for i, e := range batch {
		lines[i] = e.line
	}
	wait := 250 * time.Millisecond
	for {
		err := s.deliver(ctx, lines)
		if err == nil {
			s.settle(batch)
			return
		}
		if cluster.CodeOf(err) == cluster.CodeInvalid {
			// Sent again it would be refused again, and hold up all others.
			s.log.Error("the log store refused lines; they are dropped", "lines", len(lines), "err", err)
			s.settle(batch)
			return
		}
		if ctx.Err() != nil || !pause.For(ctx, wait) {
			return
		}
		wait = min(2*wait, 5*time.Second)
	}
}

// deliver makes one try. A stop gives a try under way a moment to end: cut off,
// nobody would know whether the lines arrived.
func (s *Shipper) deliver(ctx context.Context, lines []cluster.LogLine) error {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), shipLimit)
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(stopLimit, cancel) })()
	return s.sink.ShipLogs(bounded, lines)
}

// settle records how far each instance was shipped.
func (s *Shipper) settle(batch []entry) {
	touched := map[*follower]int{}
	for _, e := range batch {
		if e.from != nil {
			e.from.position[e.line.Stream] = e.marked
			touched[e.from]++
		}
	}
	for f, n := range touched {
		if err := s.savePosition(f.target.ID, f.position); err != nil {
			s.log.Warn("lines will be shipped again after a restart", "instance", f.target.ID, "err", err)
		}
		f.arrived(n)
	}
}
