package watch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"aorta/internal/tick"
	"aorta/pacemaker/cluster"
)

const (
	pulseEvery = 500 * time.Millisecond
	pulseTrips = 4 // of one beat, as of a probe that connects, greets, reads and writes
	// lateBy is how long a beat takes at the least, in a process that is too late
	// to judge by what does not answer it in time. A beat takes 0.1 ms.
	lateBy   = limit / 4
	recorded = time.Minute // for how long a late beat is remembered
)

// errOverloaded is for people, and no part fails by it.
var errOverloaded = Minor(cluster.Unavailable(
	"aortad is overloaded: what it does waits for a processor, so that its answers and numbers come late; apps are served all the same (see what uses the processors: top)"))

// beat is one measurement of how late this process is.
type beat struct {
	began time.Time
	took  time.Duration
}

// pulse measures how late this process gets to do what there is to do: it sends
// itself a byte by way of the kernel. Without it a part would be blamed whose answer
// was there, and had nobody to read it.
type pulse struct {
	mu    sync.Mutex // guards all below
	began time.Time  // of the beat under way; zero: none is
	late  []beat     // those of the last minute that were, oldest first
}

// Pulse is the loop that measures how late this process is, until ctx ends.
func (w *Watch) Pulse(ctx context.Context) error {
	here, there, err := pair()
	if err != nil {
		return fmt.Errorf("measure how late this process is: %w", err)
	}
	var echo sync.WaitGroup
	defer echo.Wait()
	echo.Go(func() { _, _ = io.Copy(there, there) }) // ends with its other end
	defer func() { _, _ = here.Close(), there.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = here.Close() })
	defer stop()
	for {
		if err := w.pulse.beat(here); err != nil && ctx.Err() == nil {
			return fmt.Errorf("measure how late this process is: %w", err)
		}
		if !tick.Next(ctx, pulseEvery) {
			return ctx.Err()
		}
	}
}

// pair are the two ends of a connection of this process to itself.
func pair() (here, there net.Conn, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	ends, errs := [2]net.Conn{}, [2]error{}
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "pulse")
		ends[i], errs[i] = net.FileConn(f)
		_ = f.Close()
	}
	return ends[0], ends[1], errors.Join(errs[:]...)
}

func (p *pulse) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.began = time.Now()
}

func (p *pulse) beat(conn io.ReadWriter) error {
	p.begin()
	var err error
	for range pulseTrips {
		one := []byte{0}
		_, sent := conn.Write(one)
		_, came := io.ReadFull(conn, one)
		err = errors.Join(err, sent, came)
	}
	p.note(time.Now())
	return err
}

// note ends the beat under way.
func (p *pulse) note(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if took := now.Sub(p.began); took >= lateBy {
		p.late = append(p.late, beat{p.began, took})
	}
	for len(p.late) > 0 && now.Sub(p.late[0].began) > recorded {
		p.late = p.late[1:]
	}
	p.began = time.Time{}
}

// tooLate says whether a beat was, or is, that went on after a time.
func (p *pulse) tooLate(since time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.began.IsZero() && time.Since(p.began) >= lateBy {
		return true
	}
	n := len(p.late)
	return n > 0 && p.late[n-1].began.Add(p.late[n-1].took).After(since)
}

// Self is the probe of the process itself, which Pulse measures.
func (w *Watch) Self() Probe {
	return Probe{
		Kind: cluster.PartDaemon, Name: "daemon", Grace: 2 * interval,
		Silent: "", // never: its error is for people
		Use: func(context.Context) error {
			if w.pulse.tooLate(time.Now().Add(-interval)) {
				return errOverloaded
			}
			return nil
		},
	}
}
