package cluster

import "time"

// Operations of an app that exclude one another take turns. Each takes its turn as it
// comes, a deploy only once its image is built, since a build changes nothing of what
// runs: what people need while it goes on waits for no build.

// TakesTurnLater says that an operation of the kind has work to do before its turn.
func (k OperationKind) TakesTurnLater() bool { return k == OpDeploy }

// Changing says that the operation changes what runs, or will as soon as those in front
// of it have ended. A deploy that builds does not yet.
func (o Operation) Changing() bool { return o.Kind.Exclusive() && o.Turn != nil }

// TurnOrCreated is when its turn was, or for want of one when it came.
func (o Operation) TurnOrCreated() time.Time {
	if o.Turn != nil {
		return *o.Turn
	}
	return o.CreatedAt
}

// Ahead finds among the open operations, in the order in which they came, the one that
// op waits for; nil when its turn has come.
func Ahead(open []Operation, op Operation) *Operation {
	came := false // op itself did
	for i, other := range open {
		came = came || other.ID == op.ID
		if op.waitsFor(other, !came) {
			return &open[i]
		}
	}
	return nil
}

// MayBegin says whether an operation may have its tree. A deploy waits for its turn
// inside of it, and before it for other deploys alone.
func MayBegin(open []Operation, op Operation) bool {
	if op.Kind.TakesTurnLater() {
		op.Turn = nil
	}
	return Ahead(open, op) == nil
}

// waitsFor says whether one open operation has to end before the other goes on; sooner
// says that it came sooner.
func (o Operation) waitsFor(other Operation, sooner bool) bool {
	switch {
	case other.ID == o.ID, other.AppID != o.AppID, !o.Kind.Excludes(other.Kind):
		return false
	case o.Kind == OpDestroy:
		return true // also for the end of builds, which are aborted by then
	case o.Turn == nil:
		return other.Kind == OpDeploy && sooner
	case other.Turn == nil:
		return false
	case other.Turn.Equal(*o.Turn):
		return sooner
	}
	return other.Turn.Before(*o.Turn)
}
