package jobs

import "slices"

// State is where a job stands. A tree's state is one of Running, Succeeded,
// Failed and Aborted.
type State string

// The states of a job.
const (
	Waiting   State = "waiting"   // for its children, or for its tree to stop (clean-up)
	Ready     State = "ready"     // to be queued, queued, or waiting for a back-off to end
	Running   State = "running"   // a worker has it
	Succeeded State = "succeeded" // end
	Failed    State = "failed"    // end: no attempt is left
	Aborted   State = "aborted"   // end: never ran, was cancelled, or was not needed
	// Superseded is an end: other jobs took its place, and its tree goes on with those.
	Superseded State = "superseded"
)

// Legal is the whole table of state changes; a state without a row is an end.
//
// Running goes back to Ready for another attempt, and back to Waiting when its
// handler grafted children; such a job then goes from Waiting to Succeeded
// without running again. Ready fails directly when the worker that took it died
// before its start was reported.
var Legal = map[State][]State{
	Waiting: {Ready, Succeeded, Aborted, Superseded},
	Ready:   {Running, Failed, Aborted, Superseded},
	Running: {Ready, Waiting, Succeeded, Failed, Aborted, Superseded},
}

// Ended says whether a job in this state never changes again.
func (s State) Ended() bool { return s.settled() || s == Failed || s == Aborted }

// settled says that nothing waits for the job any more: it is done, or others do it.
func (s State) settled() bool { return s == Succeeded || s == Superseded }

// CanBecome says whether the table allows the change.
func (s State) CanBecome(next State) bool { return slices.Contains(Legal[s], next) }
