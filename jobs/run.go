package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// Handler does the work of one kind. Its context ends when the job is aborted,
// its lease is lost, its time is over or the worker stops; context.Cause tells
// which. A nil error means success, and the result is stored as JSON. A handler
// may run again after a crash: effects must be named by the job's id.
type Handler func(ctx context.Context, r *Run) (result any, err error)

// Causes of the end of a handler's context.
var (
	ErrAborted   = errors.New("the job was cancelled")
	ErrLeaseLost = errors.New("the lease was lost: the job is another worker's")
	ErrTimeout   = errors.New("the time limit was exceeded")
	ErrStopping  = errors.New("the worker is stopping")
)

// Reporter carries what a running handler says. It is implemented by the
// adapter, and by a fake in a handler's tests.
type Reporter interface {
	Log(line string)
	Progress(p Progress)
	// Graft returns after the specs are durable.
	Graft(parent string, specs []Spec) error
}

// Run is what a handler knows of its job and may say about it. It is safe for
// concurrent use when its Reporter is.
type Run struct {
	job     Job
	attempt int
	to      Reporter
}

// NewRun makes the Run of one attempt, counted from 1. Of the job, its spec
// fields and Tree are used.
func NewRun(job Job, attempt int, to Reporter) *Run {
	return &Run{job: job, attempt: attempt, to: to}
}

// ID is the job's id; name effects by it.
func (r *Run) ID() string { return r.job.ID }

// TreeID is the id of the root job.
func (r *Run) TreeID() string { return r.job.Tree }

// Kind is the job's kind.
func (r *Run) Kind() string { return r.job.Kind }

// Subject names what the job is about.
func (r *Run) Subject() Subject { return r.job.Subject }

// Attempt counts the runs of this job from 1.
func (r *Run) Attempt() int { return r.attempt }

// Args decodes the job's arguments. A failure is permanent: the same arguments
// come with every attempt.
func (r *Run) Args(into any) error {
	if err := json.Unmarshal(r.job.Args, into); err != nil {
		return Permanent(fmt.Errorf("read the arguments of job %s (%s): %w", r.job.ID, r.job.Kind, err))
	}
	return nil
}

// Log appends a line to the job's log.
func (r *Run) Log(line string) { r.to.Log(line) }

// Progress says how far the job is; frequent calls are thinned out, the last
// one counts.
func (r *Run) Progress(n, m int, text string) {
	r.to.Progress(Progress{N: n, M: m, Text: text})
}

// Graft adds children under this job. They may begin at once. When the handler
// has returned nil the job waits for them and then counts as succeeded, without
// running again. An id that exists already is left out.
func (r *Run) Graft(children ...Spec) error { return r.to.Graft(r.job.ID, children) }

// GraftRoot adds children under the root of the tree, which waits for them too.
func (r *Run) GraftRoot(children ...Spec) error { return r.to.Graft(r.job.Tree, children) }

// Permanent marks an error after which no further attempt makes sense.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

// IsPermanent says whether an error was marked.
func IsPermanent(err error) bool {
	var p *permanentError
	return errors.As(err, &p)
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }
