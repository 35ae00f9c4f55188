package redisq

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/jobs"
)

// progressInterval is the shortest time between two progress messages.
const progressInterval = 100 * time.Millisecond

// maxUnsent bounds the log lines that wait for Redis; then the oldest go.
const maxUnsent = logLines

// attempt is one run of a job here. It is the handler's jobs.Reporter.
type attempt struct {
	w      *Worker
	entry  entry
	given  assignment      // set before the handler begins
	ctx    context.Context // the handler's
	cancel context.CancelCauseFunc
	beaten bool // a beat was sent; guarded by w.beating

	mu       sync.Mutex     // guards all below
	lines    []string       // not sent yet
	lost     int            // lines that were dropped
	flushing bool           // a goroutine sends lines
	flushes  sync.WaitGroup // that goroutine
	progress *jobs.Progress // not sent yet
	sentAt   time.Time      // of the last progress message
}

// begin registers an attempt, so that beats and cancellations reach it.
func (w *Worker) begin(ctx context.Context, e entry) *attempt {
	a := &attempt{w: w, entry: e}
	// The worker's end must arrive as its own cause, not as a plain cancel.
	hctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { cancel(jobs.ErrStopping) })
	a.ctx = hctx
	a.cancel = func(cause error) { stop(); cancel(cause) }
	w.mu.Lock()
	w.runs[e.token] = a
	w.mu.Unlock()
	select {
	case w.begun <- struct{}{}:
	default: // the beats know of an earlier one
	}
	return a
}

// forget unregisters an attempt; after it no beat is on its way.
func (w *Worker) forget(a *attempt) {
	a.cancel(nil)
	w.beating.Lock()
	defer w.beating.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.runs, a.entry.token)
}

// Log implements jobs.Reporter. Lines are sent in the background.
func (a *attempt) Log(line string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for l := range strings.SplitSeq(strings.TrimRight(line, "\n"), "\n") {
		a.lines = append(a.lines, clip(l, maxText))
	}
	if over := len(a.lines) - maxUnsent; over > 0 {
		a.lines = a.lines[over:]
		a.lost += over
	}
	if !a.flushing {
		a.flushing = true
		a.flushes.Go(a.flush)
	}
}

// flush sends lines until there are none; it ends with the report at the
// latest, which sends what is left itself.
func (a *attempt) flush() {
	for {
		lines := a.unsent()
		if len(lines) == 0 {
			return
		}
		_, err := a.w.rdb.Pipelined(a.ctx, func(p redis.Pipeliner) error {
			a.writeLines(p, lines)
			return nil
		})
		if err == nil || errors.Is(err, redis.Nil) {
			continue
		}
		a.mu.Lock()
		a.lines = append(lines, a.lines...)
		a.flushing = false
		a.mu.Unlock()
		return
	}
}

// unsent takes the lines to send. With none left flushing is over, in the same
// breath: a line that comes later starts it again.
func (a *attempt) unsent() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	lines := a.lines
	if a.lost > 0 {
		lines = append([]string{fmt.Sprintf("(%d lines were dropped while Redis was away)", a.lost)}, lines...)
	}
	a.lines, a.lost = nil, 0
	a.flushing = len(lines) > 0
	return lines
}

// writeLines adds lines to a pipeline. A log that the keeper has deleted is not
// made again.
func (a *attempt) writeLines(p redis.Pipeliner, lines []string) {
	for _, line := range lines {
		p.XAdd(a.ctx, &redis.XAddArgs{
			Stream: a.w.keys.jobLog(a.entry.job), NoMkStream: true,
			MaxLen: logLines, Approx: true, Values: []any{"l", line},
		})
	}
	if len(lines) > 0 {
		p.Publish(a.ctx, a.w.keys.logs(), a.entry.job)
	}
}

// Progress implements jobs.Reporter. What is not sent now goes with the outcome
// or the next beat.
func (a *attempt) Progress(pr jobs.Progress) {
	a.mu.Lock()
	a.progress = &pr
	early := time.Since(a.sentAt) < progressInterval
	a.mu.Unlock()
	if !early {
		a.sendProgress(a.ctx)
	}
}

// sendProgress sends the last progress, if it was not. It is repeated by the
// next beat when it fails.
func (a *attempt) sendProgress(ctx context.Context) {
	pr := a.popProgress()
	if pr == nil {
		return
	}
	err := a.send(ctx, message{Kind: messageProgress, Progress: *pr})
	if err == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.progress == nil {
		a.progress = pr
	}
}

func (a *attempt) popProgress() *jobs.Progress {
	a.mu.Lock()
	defer a.mu.Unlock()
	pr := a.progress
	a.progress, a.sentAt = nil, time.Now()
	return pr
}

// Graft implements jobs.Reporter: it returns after the specs are durable, or
// when the handler's context has ended.
func (a *attempt) Graft(parent string, specs []jobs.Spec) error {
	for _, s := range specs {
		if err := s.Validate(); err != nil {
			return jobs.Permanent(err)
		}
	}
	err := a.w.persist(a.ctx, "graft onto job "+parent, func(ctx context.Context) error {
		return a.send(ctx, message{Kind: messageGraft, Graft: graft{Parent: parent, Specs: specs}})
	})
	if err != nil {
		return fmt.Errorf("graft onto job %s: %w", parent, err)
	}
	return nil
}

// send appends a message about this lease to the out stream.
func (a *attempt) send(ctx context.Context, m message) error {
	values, err := a.values(m)
	if err != nil {
		return err
	}
	return a.w.rdb.XAdd(ctx, &redis.XAddArgs{Stream: a.w.keys.out(), Values: values}).Err()
}

// values is a message about this lease as the fields of a stream entry.
func (a *attempt) values(m message) ([]any, error) {
	m.Tree, m.Job, m.Lease = a.entry.tree, a.entry.job, a.entry.token
	return m.values()
}
