package cluster

import "time"

// OperationKind says what was asked.
type OperationKind string

// The kinds of operation. Each has its own tree of jobs.
const (
	OpDeploy  OperationKind = "deploy"  // build and roll out
	OpRelease OperationKind = "release" // roll out an image that is built: config, rollback
	OpScale   OperationKind = "scale"   // bring the formation to its wanted size
	OpRestart OperationKind = "restart" // replace instances by new ones
	OpStop    OperationKind = "stop"    // the whole app
	OpRetire  OperationKind = "retire"  // drain and stop instances that are not wanted
	OpReplace OperationKind = "replace" // start what is wanted and missing
	OpDestroy OperationKind = "destroy" // an app and all of its
	OpRebuild OperationKind = "rebuild" // an image that is gone from its engine
	OpPrune   OperationKind = "prune"   // old images on a node
	OpDrain   OperationKind = "drain"   // move what runs on a node elsewhere
)

// OperationKinds are all kinds.
var OperationKinds = []OperationKind{OpDeploy, OpRelease, OpScale, OpRestart, OpStop, OpRetire, OpReplace, OpDestroy, OpRebuild, OpPrune, OpDrain}

// OperationState is open until its tree has ended.
type OperationState string

// The states of an operation.
const (
	OperationOpen      OperationState = "open"
	OperationSucceeded OperationState = "succeeded"
	OperationFailed    OperationState = "failed"
	OperationAborted   OperationState = "aborted"
)

// Operation is what was asked, written before any job exists. Its tree's root
// job has its id. An open operation without a tree gets its tree again.
type Operation struct {
	ID     ID
	Kind   OperationKind
	AppID  ID     // empty for operations of a node
	NodeID ID     // empty for operations of an app
	Title  string // for people
	Args   []byte // JSON, by kind
	State  OperationState
	Error  string
	User   string
	// Cause is the operation that has caused this one, which nobody asked for.
	Cause     ID
	CreatedAt time.Time
	EndedAt   *time.Time
	// Turn is when it took its turn, see Ahead; nil for a deploy that builds.
	Turn *time.Time
	// DiscardedAt is set once somebody has discarded an operation that did not
	// succeed: it can't be retried any more.
	DiscardedAt *time.Time
	DiscardedBy string
	// Promoted says that what it brings serves: nothing ends it any more.
	Promoted bool
	// AbortReason is set once somebody has aborted an operation that is open.
	AbortReason string
}

// StillOpen is a conflict for an operation that has ended or is to end: nothing
// may happen for it any more.
func (o Operation) StillOpen() error {
	switch {
	case o.State != OperationOpen:
		return Conflict("job %s has ended: %s", o.ID.Short(), o.State)
	case o.AbortReason != "":
		return Conflict("%s", o.AbortReason)
	}
	return nil
}

// Exclusive says that an app has one open operation of these kinds at a time:
// they change what runs, and two of them would race.
func (k OperationKind) Exclusive() bool {
	switch k {
	case OpDeploy, OpRelease, OpScale, OpRestart, OpStop, OpDestroy:
		return true
	}
	return false
}

// Excludes says that an app's operation of this kind waits for one of the other
// that came before. Builds of images that are gone change nothing of what runs,
// and wait for one another alone: no app fills the builders with them.
func (k OperationKind) Excludes(other OperationKind) bool {
	return k.Exclusive() && other.Exclusive() || k == OpRebuild && other == OpRebuild
}

// Recurring says that the platform asks for operations of the kind by itself,
// as long as they are needed: no user has to repeat one.
func (k OperationKind) Recurring() bool { return k == OpRetire || k == OpReplace }

// families are the kinds that decide about the same thing of an app.
var families = [][]OperationKind{{OpDeploy, OpRelease}, {OpRestart, OpStop}}

// Family are the kinds that decide about the same thing as this one, itself
// included: what came later of them would be undone by repeating what came
// earlier.
func (k OperationKind) Family() []OperationKind {
	for _, f := range families {
		if contains(f, k) {
			return f
		}
	}
	return []OperationKind{k}
}
