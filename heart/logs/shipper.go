package logs

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"aorta/internal/filechange"
	"aorta/pacemaker/cluster"
)

// Sink stores output. It returns the stored positions of those instances whose
// parts did not go on there and were not stored. An error means that nothing is
// known of what was stored.
type Sink interface {
	ShipLogs(ctx context.Context, parts []cluster.LogPart) (refused []cluster.LogPosition, err error)
}

// Options of a shipper.
type Options struct {
	Log   *slog.Logger
	Files int   // log files that the engine keeps of a container
	Held  int64 // bytes of an instance's output that are held at most beside those
	// Earlier is the directory where the version before kept how far it had
	// shipped; see earlier.go.
	Earlier string
}

// lookInterval is how often the engine's files are looked at while they grow:
// much less than they need to rotate away, and the latency of a line. Files that
// have not grown for restAfter are looked at when the kernel tells a change, and
// each restInterval in case that it did not.
const (
	lookInterval = 100 * time.Millisecond
	restAfter    = 2 * time.Second
	restInterval = 5 * time.Second
)

// Shipper follows the output of containers and ships it.
//
// One goroutine looks at the files and holds them open. Another one reads and
// ships, one batch at a time: each goes on where the one before ended, so there
// is never more than one of which it is unknown whether it was stored.
type Shipper struct {
	sink Sink
	o    Options
	wake chan struct{} // there is something to ship
	grew chan struct{} // there is something to look at
	rest time.Duration // how often files that rest are looked at all the same

	outage outage // of their disk; used by the goroutine that looks alone

	// mu guards the rest.
	mu        sync.Mutex
	followers map[cluster.ID]*follower
	behind    string // why output waits
}

// New makes a shipper.
func New(sink Sink, o Options) *Shipper {
	return &Shipper{sink: sink, o: o, wake: make(chan struct{}, 1), grew: make(chan struct{}, 1), rest: restInterval, followers: map[cluster.ID]*follower{}, behind: busy}
}

// busy is why output waits while the log store answers.
const busy = "it took fewer lines than the instance printed"

// Follow ships an instance's output, which the engine writes to the file at
// path. It may be called again and again.
func (s *Shipper) Follow(t Target, path string) {
	f, fresh := s.follower(t)
	if !fresh {
		return
	}
	f.locate(path)
	s.scan(f, newReader())
	s.nudge()
	signal(s.grew)
}

// follower finds or makes an instance's follower; fresh says that its file is not
// known.
func (s *Shipper) follower(t Target) (f *follower, fresh bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f = s.followers[t.ID]
	if f == nil {
		f = newFollower(t, &s.o)
		s.followers[t.ID] = f
	}
	return f, f.path() == ""
}

// AddSystemLine adds a line of the platform to an instance's output.
func (s *Shipper) AddSystemLine(t Target, text string) {
	f, _ := s.follower(t)
	f.addNote(text)
	s.nudge()
}

// Drain waits until the whole output of an ended process was shipped.
func (s *Shipper) Drain(ctx context.Context, id cluster.ID) error {
	f := s.find(id)
	if f == nil {
		return nil
	}
	f.drain()
	s.nudge()
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("ship the last lines of %s: %w", id, ctx.Err())
	}
}

// Forget ends the following of an instance whose container is gone, once what is
// held of its output was shipped.
func (s *Shipper) Forget(id cluster.ID) {
	if f := s.find(id); f != nil {
		f.forget()
		s.nudge()
	}
}

func (s *Shipper) find(id cluster.ID) *follower {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.followers[id]
}

func (s *Shipper) nudge() { signal(s.wake) }

// signal leaves word for who receives next.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run ships until ctx ends.
func (s *Shipper) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var looking sync.WaitGroup
	looking.Go(func() { s.watch(ctx) })
	s.shipAll(ctx)
	cancel()
	looking.Wait()
	for _, f := range s.all() {
		f.close()
	}
	return ctx.Err()
}

// watch looks at the files, again and again, so that none is missed however
// long shipping takes.
func (s *Shipper) watch(ctx context.Context) {
	changes, err := filechange.New()
	if err != nil {
		s.o.Log.Warn("the engine's log files are looked at ten times a second, also those that do not grow", "err", err)
	} else {
		defer func() { _ = changes.Close() }()
	}
	sweep := time.NewTicker(s.rest)
	defer sweep.Stop()
	for r, all := newReader(), true; ctx.Err() == nil; {
		if all {
			s.checkDisk(time.Now())
		}
		wait := s.scanAll(r, all, changes)
		all = false
		select {
		case <-ctx.Done():
		case <-wait:
		case <-s.grew:
		case <-sweep.C:
			all = true
		}
	}
}

// scanAll looks at what grows, or at all, and gives when to look at it next, never
// if nothing does.
func (s *Shipper) scanAll(r *reader, all bool, changes *filechange.Watcher) (next <-chan time.Time) {
	for _, f := range s.all() {
		if !all && f.resting.Load() {
			continue
		}
		s.scan(f, r)
		if s.idle(f, changes) {
			s.scan(f, r) // what came before the kernel watched
		}
		if f.backlog() > 0 {
			s.nudge()
		}
		if next == nil && !f.resting.Load() {
			next = time.After(lookInterval)
		}
	}
	return next
}

// idle leaves it to the kernel to tell when a file that has not grown for a while
// does, and says whether it began to.
func (s *Shipper) idle(f *follower, changes *filechange.Watcher) bool {
	path, quiet := f.quiet()
	if changes == nil || !quiet || f.resting.Swap(true) {
		return false
	}
	err := changes.Once(path, func() {
		f.resting.Store(false)
		signal(s.grew)
	})
	if err != nil {
		f.resting.Store(false) // looked at as before
	}
	return err == nil
}

// reason is why output waits, when it does.
func (s *Shipper) reason() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.behind
}

func (s *Shipper) scan(f *follower, r *reader) {
	if err := f.scan(r, s.reason()); err != nil {
		s.o.Log.Error("an instance's output can't be read (the engine must run on this machine, and the daemon must be allowed to read its log files)", "instance", f.target.ID, "err", err)
	}
}

func (s *Shipper) all() []*follower {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*follower, 0, len(s.followers))
	for _, f := range s.followers {
		list = append(list, f)
	}
	return list
}
