package redisq

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/internal/duration"
	"aorta/jobs"
)

// execute runs an attempt from the taking to the report.
func (w *Worker) execute(ctx context.Context, a *attempt) {
	err := a.open(ctx)
	if err != nil {
		w.forget(a)
	}
	if errors.Is(err, errCrossed) {
		w.discard(ctx, a.entry)
		return
	}
	if err != nil {
		// The lease runs out by itself: the keeper sees the entry taken and silent.
		w.opt.Log.Warn("a worker can't take a job", "job", a.entry.job, "error", err)
		return
	}
	kind := a.given.Job.Kind
	w.opt.Crash(kind + ":taken")
	o := w.handle(a)
	w.opt.Crash(kind + ":done")
	w.report(ctx, a, o)
	w.opt.Crash(kind + ":reported")
}

// errCrossed says that an entry was taken back or superseded on its way here.
var errCrossed = errors.New("the entry is of a lease that is over")

// open says that the job is taken and reads it, in this order and in one go: a
// handler never begins unheard.
func (a *attempt) open(ctx context.Context) error {
	lctx, cancel := a.w.lasting(ctx)
	defer cancel()
	taken, err := a.values(message{Kind: messageTaken, Worker: a.w.opt.ID})
	if err != nil {
		return err
	}
	var state *redis.SliceCmd
	err = a.w.persist(lctx, "take job "+a.entry.job, func(ctx context.Context) error {
		_, err := a.w.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
			p.XAdd(ctx, &redis.XAddArgs{Stream: a.w.keys.out(), Values: taken})
			state = p.HMGet(ctx, a.w.keys.job(a.entry.job), "token", "abort", "job")
			return nil
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("read job %s: %w", a.entry.job, err)
	}
	if !a.judge(state.Val()) {
		return errCrossed
	}
	text, _ := state.Val()[2].(string)
	if err := json.Unmarshal([]byte(text), &a.given); err != nil {
		return fmt.Errorf("read job %s: %w", a.entry.job, err)
	}
	return nil
}

// discard drops an entry whose lease is over.
func (w *Worker) discard(ctx context.Context, e entry) {
	_, err := w.rdb.TxPipelined(context.WithoutCancel(ctx), func(p redis.Pipeliner) error {
		p.XAck(ctx, e.stream, group, e.id)
		p.XDel(ctx, e.stream, e.id)
		return nil
	})
	if err != nil {
		w.opt.Log.Warn("a worker can't drop an entry", "job", e.job, "error", err)
	}
}

// handle runs the handler and judges how it ended.
func (w *Worker) handle(a *attempt) jobs.Outcome {
	given := a.given
	handler := w.opt.Handlers[given.Job.Kind]
	if handler == nil {
		return failed(jobs.Permanent(fmt.Errorf("worker %s knows no jobs of kind %q (is it of an older version?)", w.opt.ID, given.Job.Kind)))
	}
	hctx := a.ctx
	if given.Timeout > 0 {
		limit := time.Duration(given.Timeout) * time.Millisecond
		var done context.CancelFunc
		hctx, done = context.WithTimeoutCause(hctx, limit, fmt.Errorf("%w of %s", jobs.ErrTimeout, duration.Text(limit)))
		defer done()
	}
	if cause := context.Cause(hctx); cause != nil {
		return unbegun(cause)
	}
	result, err := protect(hctx, handler, jobs.NewRun(given.Job, given.Attempt, a), a)
	if err != nil {
		return interrupted(err, context.Cause(hctx))
	}
	return succeeded(result)
}

// protect turns a panic into an error, and its stack into log lines.
func protect(ctx context.Context, h jobs.Handler, r *jobs.Run, to jobs.Reporter) (result any, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the handler panicked: %v", v)
			to.Log(fmt.Sprintf("panic: %v\n%s", v, debug.Stack()))
		}
	}()
	return h(ctx, r)
}

// unbegun judges an attempt whose context ended before its handler began.
func unbegun(cause error) jobs.Outcome {
	if errors.Is(cause, jobs.ErrStopping) {
		return jobs.Outcome{Kind: jobs.OutcomeReturned}
	}
	return failed(cause)
}

// interrupted judges a handler's error. If its context had ended the cause says
// more than the error; a worker that stops gives the job back.
func interrupted(err, cause error) jobs.Outcome {
	switch {
	case errors.Is(cause, jobs.ErrStopping):
		return jobs.Outcome{Kind: jobs.OutcomeReleased, Error: clip(err.Error(), maxText)}
	case cause != nil && !errors.Is(err, cause):
		err = fmt.Errorf("%w (%w)", cause, err)
	}
	return failed(err)
}

func failed(err error) jobs.Outcome {
	return jobs.Outcome{
		Kind: jobs.OutcomeFailed, Error: clip(err.Error(), maxText), Permanent: jobs.IsPermanent(err),
	}
}

func succeeded(result any) jobs.Outcome {
	o := jobs.Outcome{Kind: jobs.OutcomeSucceeded}
	if result == nil {
		return o
	}
	text, err := json.Marshal(result)
	if err != nil {
		return failed(jobs.Permanent(fmt.Errorf("encode the result: %w", err)))
	}
	if len(text) > maxResult {
		return failed(jobs.Permanent(fmt.Errorf("the result has %d bytes, more than %d", len(text), maxResult)))
	}
	o.Result = text
	return o
}
