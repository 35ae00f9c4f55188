package logs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"aorta/heart/docker"
	"aorta/pacemaker/cluster"
)

// Target is an instance whose output is shipped.
type Target struct {
	ID      cluster.ID
	App     cluster.ID
	Type    string
	Release string
}

// lookAgain is how often an ended stream is opened again unasked: its container
// may have been started by somebody else.
const lookAgain = 5 * time.Second

// follower reads one container's output into the shipper's channel.
type follower struct {
	target   Target
	wake     chan struct{} // there is something to read, or Drain was asked
	stop     context.CancelFunc
	position position // shipped so far; the shipper's goroutine owns it after the start

	// mu guards the rest.
	mu       sync.Mutex
	inFlight int           // read, not yet arrived
	read     position      // of the last line read, shipped or under way
	drain    bool          // no more will be written: the next end is the last
	atEnd    bool          // and it was reached
	done     chan struct{} // closed when everything has arrived
	closed   bool
}

// Follow ships an instance's output from where it was left. Called again, it
// looks for new output at once: do so after each start of its process.
func (s *Shipper) Follow(t Target) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.followers[t.ID]; f != nil {
		f.nudge()
		return nil
	}
	p, err := s.loadPosition(t.ID)
	if err != nil {
		return err
	}
	f := &follower{target: t, wake: make(chan struct{}, 1), done: make(chan struct{}), position: p, read: p.clone(), stop: func() {}}
	s.followers[t.ID] = f
	if s.ctx != nil {
		s.launch(f)
	}
	return nil
}

// launch is called with mu held. The goroutine ends with Run or Forget.
func (s *Shipper) launch(f *follower) {
	ctx, cancel := context.WithCancel(s.ctx)
	f.stop = cancel
	s.wg.Go(func() { s.follow(ctx, f) })
}

// Drain waits until all that an ended process wrote has arrived at the sink.
func (s *Shipper) Drain(ctx context.Context, id cluster.ID) error {
	s.mu.Lock()
	f := s.followers[id]
	s.mu.Unlock()
	if f == nil {
		return nil
	}
	f.mu.Lock()
	f.drain = true
	f.mu.Unlock()
	f.nudge()
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("ship the last lines of %s: %w", id, ctx.Err())
	}
}

// Forget ends the following of an instance whose container is gone.
func (s *Shipper) Forget(id cluster.ID) {
	s.mu.Lock()
	f := s.followers[id]
	delete(s.followers, id)
	s.mu.Unlock()
	if f != nil {
		f.stop()
	}
	_ = os.Remove(s.positionFile(id))
}

// Say adds a line of the platform's own to an instance's output. It is dropped
// when the sink is so far behind that it would have to wait.
func (s *Shipper) Say(t Target, text string) {
	select {
	case s.lines <- entry{line: s.line(t, "system", time.Now(), text)}:
	default:
	}
}

func (s *Shipper) line(t Target, stream string, at time.Time, text string) cluster.LogLine {
	return cluster.LogLine{Time: at, App: t.App, Instance: t.ID, Type: t.Type, Release: t.Release, Node: s.node, Stream: stream, Text: text}
}

func (s *Shipper) follow(ctx context.Context, f *follower) {
	for ctx.Err() == nil {
		last := f.draining()
		err := s.readOnce(ctx, f, !last)
		gone := errors.Is(err, docker.ErrNoContainer)
		if last && (err == nil || gone) {
			f.reachedEnd()
			return
		}
		if err != nil && !gone && ctx.Err() == nil {
			s.log.Warn("can't read a container's output; trying again", "instance", f.target.ID, "err", err)
		}
		retry := time.NewTimer(lookAgain)
		select {
		case <-ctx.Done():
		case <-f.wake:
		case <-retry.C:
		}
		retry.Stop()
	}
}

// readOnce reads from the last line that was read to the stream's end.
func (s *Shipper) readOnce(ctx context.Context, f *follower, follow bool) error {
	seen := f.restart()
	out, err := s.source.Output(ctx, f.target.ID, seen.shipped.since(), follow)
	if err != nil {
		return err
	}
	defer out.Close()
	a := assembler{}
	for {
		c, err := out.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if !seen.next(c.Stream, c.Time) {
			continue
		}
		text, ok := a.add(c)
		if !ok {
			continue
		}
		if err := s.send(ctx, f, s.line(f.target, c.Stream, c.Time, text), seen.seen[c.Stream]); err != nil {
			return err
		}
	}
}

func (s *Shipper) send(ctx context.Context, f *follower, l cluster.LogLine, m mark) error {
	f.sent(l.Stream, m)
	select {
	case s.lines <- entry{line: l, from: f, marked: m}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *follower) nudge() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

func (f *follower) draining() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.drain
}

// restart begins a new reading after what was read.
func (f *follower) restart() *reader {
	f.mu.Lock()
	defer f.mu.Unlock()
	return newReader(f.read)
}

// sent notes a line under way.
func (f *follower) sent(stream string, m mark) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.read[stream] = m
	f.inFlight++
}

func (f *follower) arrived(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.inFlight -= n
	f.finish()
}

func (f *follower) reachedEnd() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.atEnd = true
	f.finish()
}

// finish is called with mu held.
func (f *follower) finish() {
	if f.atEnd && f.inFlight == 0 && !f.closed {
		f.closed = true
		close(f.done)
	}
}
