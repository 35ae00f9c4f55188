package jobs

import (
	"encoding/json"
	"fmt"
	"time"
)

// OutcomeKind is how one attempt ended.
type OutcomeKind string

// The kinds of outcome.
const (
	OutcomeSucceeded OutcomeKind = "succeeded"
	OutcomeFailed    OutcomeKind = "failed"
	OutcomeReleased  OutcomeKind = "released" // the worker was asked to stop while it ran; counts as no failure
	OutcomeReturned  OutcomeKind = "returned" // likewise, but the handler was never begun
)

// Outcome is what a worker, or a time limit, says about one attempt.
type Outcome struct {
	Kind      OutcomeKind     `json:"kind"`
	Result    json.RawMessage `json:"result,omitempty"`
	Error     string          `json:"error,omitempty"`
	Permanent bool            `json:"permanent,omitempty"` // no further attempts
	Progress  *Progress       `json:"progress,omitempty"`  // the last one, if not sent before
}

// Moment is when a rule is applied, and the luck, in [0, 1), that spreads its
// delays.
type Moment struct {
	Now  time.Time
	Luck float64
}

// Lend records the token under which a ready job is queued.
func (t *Tree) Lend(id, lease string) error {
	t.index()
	j, err := t.Job(id)
	if err != nil {
		return err
	}
	if j.State != Ready || j.Lease != "" {
		return fmt.Errorf("queue job %s, which is %s: %w", id, j.State, ErrOver)
	}
	j.Lease = lease
	j.Due = time.Time{}
	t.touch(j)
	return nil
}

// Start records that a worker has the job. Saying so twice changes nothing.
func (t *Tree) Start(id, worker string, now time.Time) error {
	t.index()
	j, err := t.Job(id)
	if err != nil {
		return err
	}
	if j.State == Running {
		return nil
	}
	if !t.move(j, Running, now) {
		return fmt.Errorf("start job %s, which is %s: %w", id, j.State, ErrOver)
	}
	j.Attempt++
	j.Started, j.Worker = now, worker
	j.Progress, j.Error = Progress{}, ""
	return nil
}

// SetProgress records how far a running job is.
func (t *Tree) SetProgress(id string, p Progress) error {
	t.index()
	j, err := t.Job(id)
	if err != nil {
		return err
	}
	if j.State != Running {
		return fmt.Errorf("note progress of job %s, which is %s: %w", id, j.State, ErrOver)
	}
	j.Progress = p
	t.touch(j)
	return nil
}

// Finish records how an attempt ended: the job ends, is tried again after the
// policy's delay, or waits for what it grafted.
func (t *Tree) Finish(id string, o Outcome, p Policy, at Moment) error {
	now := at.Now
	j, err := t.heldJob(id, now)
	if err != nil {
		return err
	}
	if o.Progress != nil {
		j.Progress = *o.Progress
	}
	switch {
	case o.Kind == OutcomeSucceeded:
		t.succeed(j, o.Result, now)
	case t.Stop != nil && !j.Cleanup:
		t.abortJob(j, o.Error, now)
	case o.Kind == OutcomeReturned || o.Kind == OutcomeReleased && !p.AtMostOnce:
		t.again(j, time.Time{})
	case o.Kind == OutcomeReleased:
		t.fail(j, "its worker stopped while it ran; the outcome is unknown", now)
	default:
		t.failAttempt(j, o, p, at)
	}
	t.settle(now)
	return nil
}

// Lose records that the worker that had the job is gone.
func (t *Tree) Lose(id string, p Policy, now time.Time) error {
	j, err := t.heldJob(id, now)
	if err != nil {
		return err
	}
	j.Crashes++
	switch {
	case t.Stop != nil && !j.Cleanup:
		t.abortJob(j, "its worker was lost while the tree was stopping", now)
	case p.AtMostOnce:
		t.fail(j, "its worker was lost while it ran; the outcome is unknown", now)
	case j.Crashes >= MaxCrashes:
		t.fail(j, fmt.Sprintf("its worker died %d times while it ran (the last one: %s)", j.Crashes, orUnknown(j.Worker)), now)
	default:
		t.again(j, time.Time{})
	}
	t.settle(now)
	return nil
}

// Unqueue takes back a lease that no worker ever took: a stopped tree's job is
// aborted, any other is ready to be queued again. No attempt is counted.
func (t *Tree) Unqueue(id string, now time.Time) error {
	t.index()
	j, err := t.Job(id)
	if err != nil {
		return err
	}
	if j.State != Ready || j.Lease == "" {
		return fmt.Errorf("take job %s, which is %s, from its queue: %w", id, j.State, ErrOver)
	}
	j.Lease = ""
	t.touch(j)
	if t.Stop != nil && !j.Cleanup {
		t.abortJob(j, t.without(), now)
		t.settle(now)
	}
	return nil
}

// heldJob returns a job that a worker has. One whose start was not reported is
// started here, so that attempts are counted alike.
func (t *Tree) heldJob(id string, now time.Time) (*Job, error) {
	t.index()
	j, err := t.Job(id)
	if err != nil {
		return nil, err
	}
	if !j.leased() {
		return nil, fmt.Errorf("end an attempt of job %s, which is %s: %w", id, j.State, ErrOver)
	}
	return j, t.Start(id, j.Worker, now)
}

func (t *Tree) succeed(j *Job, result json.RawMessage, now time.Time) {
	j.Result, j.Error, j.HandlerDone = result, "", true
	t.touch(j)
	switch {
	case t.childrenSucceeded(j.ID):
		t.move(j, Succeeded, now)
		t.promote(j.Parent, now)
	case t.Stop != nil:
		t.abortJob(j, t.without(), now)
	default:
		t.move(j, Waiting, now)
	}
}

// promote checks a job after one of its children has succeeded.
func (t *Tree) promote(id string, now time.Time) {
	for id != "" {
		j := t.Jobs[id]
		if j.State != Waiting || t.Stop != nil || !t.childrenSucceeded(id) {
			return
		}
		if !j.HandlerDone {
			t.move(j, Ready, now)
			return
		}
		t.move(j, Succeeded, now)
		id = j.Parent
	}
}

func (t *Tree) childrenSucceeded(id string) bool {
	for _, kid := range t.kids[id] {
		if !t.Jobs[kid].State.settled() {
			return false
		}
	}
	return true
}

func (t *Tree) failAttempt(j *Job, o Outcome, p Policy, at Moment) {
	j.Failures++
	if o.Permanent || p.AtMostOnce || j.Failures >= p.attempts() {
		t.fail(j, o.Error, at.Now)
		return
	}
	j.Error = o.Error
	t.again(j, at.Now.Add(p.Delay(j.Failures, at.Luck)))
}

func (t *Tree) again(j *Job, due time.Time) {
	t.move(j, Ready, time.Time{})
	j.Lease, j.Due = "", due
}

func (t *Tree) fail(j *Job, reason string, now time.Time) {
	t.move(j, Failed, now)
	j.Error = reason
	if !j.Cleanup {
		t.stop(Stop{State: Failed, Reason: fmt.Sprintf("%s failed: %s", j.label(), reason), Job: j.ID}, now)
	}
}

// label names the job for people.
func (j *Job) label() string {
	if j.Title != "" {
		return j.Title
	}
	return j.Kind
}

func orUnknown(worker string) string {
	if worker == "" {
		return "unknown"
	}
	return worker
}
