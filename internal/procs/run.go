package procs

import (
	"context"
	"errors"
	"sync"
	"time"

	"aorta/internal/backoff"
)

const (
	minDelay = 100 * time.Millisecond
	maxDelay = 10 * time.Second
	// A daemon that lived this long was healthy: its next end starts over.
	healthyAfter = 30 * time.Second
)

// Run watches the daemon and starts it again when it ends, after 100 ms to 10 s
// (doubling, ± 20 %). It opens the daemon first if nobody has. It returns nil
// when ctx ends, leaving the daemon alive, and when Stop is called. Meanwhile it
// keeps the daemon's log small.
func (d *Daemon) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	var logs sync.WaitGroup
	logs.Go(func() { d.keepLog(ctx) })
	defer logs.Wait()
	defer stop()
	delay := backoff.New(minDelay, maxDelay)
	for {
		err := d.bring(ctx)
		if ctx.Err() != nil || errors.Is(err, errStopped) {
			return nil
		}
		if err != nil {
			d.log.Warn("daemon can't be brought up; trying again", "error", err)
		} else {
			began := time.Now()
			ended, err := d.watch(ctx)
			if err != nil || ctx.Err() != nil {
				return err
			}
			if !ended {
				continue
			}
			if time.Since(began) >= healthyAfter {
				delay.Reset()
			}
		}
		if !delay.Pause(ctx) {
			return nil
		}
	}
}

// watch waits until the present process ends. It reports false when it was
// ended or replaced on purpose.
func (d *Daemon) watch(ctx context.Context) (ended bool, err error) {
	p := d.process()
	if p == nil {
		return false, nil
	}
	waitErr := p.wait(ctx)
	if ctx.Err() != nil {
		return false, nil
	}
	// Whoever ends it on purpose holds the turn until the daemon is another one.
	if err := d.acquire(ctx); err != nil {
		return false, nil
	}
	defer d.release()
	if d.process() != p || d.stopped.Load() {
		return false, nil
	}
	if waitErr != nil {
		return false, waitErr
	}
	d.log.Warn("daemon ended by itself; starting it again", "pid", p.pid, "how", p.collect())
	d.set(nil, false)
	return true, nil
}

// Restart ends the daemon and starts it again with what its files now say, and
// returns once it is ready. For changes that can't be applied to a running one.
func (d *Daemon) Restart(ctx context.Context) error {
	if err := d.acquire(ctx); err != nil {
		return err
	}
	err := d.end(ctx)
	d.release()
	if err != nil {
		return err
	}
	return d.bring(ctx)
}
