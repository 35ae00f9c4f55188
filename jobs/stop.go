package jobs

import (
	"fmt"
	"time"
)

// Abort stops the tree on request. Jobs that have not been queued end here; the
// others are listed by ToCancel. A tree that is stopping already keeps its first
// reason; one that has ended answers ErrOver.
func (t *Tree) Abort(reason string, now time.Time) error {
	t.index()
	if t.State.Ended() {
		return fmt.Errorf("abort tree %s, which %s: %w", t.ID, t.State, ErrOver)
	}
	t.stop(Stop{State: Aborted, Reason: reason}, now)
	t.settle(now)
	return nil
}

// stop sets the reason, once, and aborts what no worker can have.
func (t *Tree) stop(s Stop, now time.Time) {
	if t.Stop != nil {
		return
	}
	t.Stop = &s
	t.touch(t.Jobs[t.ID])
	for _, j := range t.Jobs {
		if !j.Cleanup && !j.State.Ended() && !j.leased() {
			t.abortJob(j, t.without(), now)
		}
	}
}

// without says why a job of a stopped tree does not run: the whole reason of an
// abort, and of a failure only where it was, since the failed job has the rest.
func (t *Tree) without() string {
	if failed := t.Jobs[t.Stop.Job]; failed != nil {
		return fmt.Sprintf("%q failed", failed.label())
	}
	return t.Stop.Reason
}

func (t *Tree) abortJob(j *Job, reason string, now time.Time) {
	if t.move(j, Aborted, now) {
		j.Error = reason
	}
}

// settle brings the tree to its clean-up and to its end, when it is time.
func (t *Tree) settle(now time.Time) {
	if t.openMain > 0 || t.State.Ended() {
		return
	}
	for _, j := range t.Jobs {
		if !j.Cleanup || j.State != Waiting {
			continue
		}
		if t.Stop != nil {
			t.move(j, Ready, now)
		} else {
			t.abortJob(j, "not needed", now)
		}
	}
	if t.openAll > 0 {
		return
	}
	t.State, t.Ended = Succeeded, now
	if t.Stop != nil {
		t.State = t.Stop.State
	}
	t.touch(t.Jobs[t.ID])
}
