package redisq

import (
	"strings"

	"aorta/jobs"
)

// check holds the ended trees against each other and against the journal.
func (s *stage) check() {
	s.tb.Helper()
	runs := replay(s.journal.all()[s.from:])
	for _, spec := range s.Trees {
		t := s.ended[spec.ID]
		s.tally.trees++
		s.checkEnd(t)
		for _, j := range t.Jobs {
			s.tally.jobs++
			s.tally.runs += len(runs[j.ID])
			s.checkJob(t, j)
			if !s.wiped() {
				s.checkRuns(t, j, runs)
			}
		}
	}
}

// checkEnd: the tree's state agrees with its jobs' and with what was asked for.
func (s *stage) checkEnd(t *jobs.Tree) {
	s.tb.Helper()
	switch t.State {
	case jobs.Succeeded:
		s.tally.succeeded++
		if t.Stop != nil {
			s.tb.Errorf("tree %s: got succeeded, and stopped by %+v", t.ID, t.Stop)
		}
	case jobs.Failed:
		s.tally.failed++
		if t.Stop == nil || t.Jobs[t.Stop.Job] == nil || t.Jobs[t.Stop.Job].State != jobs.Failed {
			s.tb.Errorf("tree %s: got failed by %+v, want a job of it that failed", t.ID, t.Stop)
		}
	case jobs.Aborted:
		s.tally.aborted++
		if !s.asked[t.ID] {
			s.tb.Errorf("tree %s: got aborted, and nobody asked", t.ID)
		}
	default:
		s.tb.Errorf("tree %s: got %s handed over, want an end", t.ID, t.State)
	}
	if s.refused[t.ID] && t.State == jobs.Succeeded && !s.wiped() {
		s.tb.Errorf("tree %s: got succeeded, though an abort was accepted", t.ID)
	}
}

// checkJob: one job's state agrees with its tree's. Clean-up ran if and only if
// the tree did not succeed.
func (s *stage) checkJob(t *jobs.Tree, j *jobs.Job) {
	s.tb.Helper()
	if !j.State.Ended() {
		s.tb.Errorf("job %s: got %s in an ended tree", j.ID, j.State)
	}
	if j.State == jobs.Failed && j.Error == "" {
		s.tb.Errorf("job %s: got failed without a reason", j.ID)
	}
	if j.State == jobs.Superseded {
		s.tally.superseded++
	}
	if j.State == jobs.Superseded && len(s.instead) == 0 {
		s.tb.Errorf("job %s: got superseded, and nobody asked", j.ID)
	}
	if t.State == jobs.Succeeded && !j.Cleanup && j.State != jobs.Succeeded && j.State != jobs.Superseded {
		s.tb.Errorf("job %s: got %s in a tree that succeeded", j.ID, j.State)
	}
	if j.Cleanup {
		ran := j.State == jobs.Succeeded || j.State == jobs.Failed
		if ran == (t.State == jobs.Succeeded) {
			s.tb.Errorf("clean-up job %s: got %s in a tree that %s", j.ID, j.State, t.State)
		}
		if ran {
			s.tally.cleanups++
		}
	}
	if strings.Contains(j.Error, "died 3 times") {
		s.tally.poisoned++
	}
	if strings.Contains(j.Error, "outcome is unknown") {
		s.tally.unknown++
	}
}

// checkRuns holds one job against what its handlers wrote down.
func (s *stage) checkRuns(t *jobs.Tree, j *jobs.Job, runs map[string][]*run) {
	s.tb.Helper()
	mine := runs[j.ID]
	if len(mine) > j.Attempt && j.State != jobs.Superseded { // of which the last start is not heard any more
		s.tb.Errorf("job %s: %d handlers began in %d attempts", j.ID, len(mine), j.Attempt)
	}
	s.tally.unbegunLeases += int64(j.Attempt - len(mine))
	if j.Kind == kindOnce && len(mine) > 1 {
		s.tb.Errorf("job %s, at most once: got %d runs", j.ID, len(mine))
	}
	if j.State == jobs.Succeeded {
		s.checkProof(j, mine)
	}
	attempts := map[int]bool{}
	for _, r := range mine {
		if attempts[r.Attempt] {
			s.tb.Errorf("job %s: attempt %d began twice", j.ID, r.Attempt)
		}
		attempts[r.Attempt] = true
		s.checkOrder(t, j, r, runs)
		s.checkOverlap(t, j, r, runs)
	}
}

// checkProof: what was believed is what the last lease's handler said, after it
// had returned nil.
func (s *stage) checkProof(j *jobs.Job, mine []*run) {
	s.tb.Helper()
	nonce := parseProof(j)
	for _, r := range mine {
		if r.Nonce != nonce {
			continue
		}
		if !r.good || r.Attempt != j.Attempt {
			s.tb.Errorf("job %s: got the outcome of attempt %d (returned nil: %v), want of the last one, %d", j.ID, r.Attempt, r.good, j.Attempt)
		}
		return
	}
	s.tb.Errorf("job %s: succeeded by a run that nobody saw, %q", j.ID, nonce)
}

// checkOrder: a handler begins after a handler of each child returned nil. What
// a job grafts under itself may run beside it, and what takes the place of that.
func (s *stage) checkOrder(t *jobs.Tree, j *jobs.Job, r *run, runs map[string][]*run) {
	s.tb.Helper()
	for _, c := range t.Children(j.ID) {
		if c.Cleanup || s.Grafter[c.ID] == j.ID || c.State == jobs.Superseded || s.instead[c.ID] {
			continue
		}
		done := false
		for _, before := range runs[c.ID] {
			done = done || before.good && before.ended < r.begun
		}
		if !done {
			s.tb.Errorf("job %s began before its child %s had succeeded", j.ID, c.ID)
		}
	}
}

// checkOverlap: while a handler of the job is at work, another one begins only
// after the first one's lease was taken back, and so does clean-up while any
// other handler is at work.
func (s *stage) checkOverlap(t *jobs.Tree, j *jobs.Job, r *run, runs map[string][]*run) {
	s.tb.Helper()
	for _, id := range r.still {
		other := t.Jobs[id]
		if other == nil || id != j.ID && (!j.Cleanup || other.Cleanup) {
			continue
		}
		s.tally.overlaps++
		if !revoked(other) {
			s.tb.Errorf("job %s (attempt %d) began while %s was at work under a lease that was never taken back: %s", j.ID, r.Attempt, id, other.Error)
		}
	}
}

// revoked says whether the keeper took a lease of the job back: its worker fell
// silent, it passed its time limit, or others took its place.
func revoked(j *jobs.Job) bool {
	return j.State == jobs.Superseded || j.Crashes > 0 || j.Failures > 0 && j.Kind == kindLimited ||
		strings.Contains(j.Error, jobs.ErrTimeout.Error())
}
