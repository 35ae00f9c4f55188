package cluster

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// KeptReleases is how many of an app's newest releases keep their images and
// archives, unless the operator says otherwise.
const KeptReleases = 10

// BuildState is where a build is. Builds end as ready or failed.
type BuildState string

// The states of a build.
const (
	BuildPending BuildState = "pending"
	BuildRunning BuildState = "running"
	BuildReady   BuildState = "ready"
	BuildFailed  BuildState = "failed"
)

// SourceKind says where a build's image comes from.
type SourceKind string

// The kinds of source.
const (
	SourceCommit  SourceKind = "commit"  // a commit in the app's repository
	SourceArchive SourceKind = "archive" // an uploaded tar
	SourceImage   SourceKind = "image"   // an image that exists already
)

// Build turns a source into an image.
type Build struct {
	ID        ID
	AppID     ID
	Kind      SourceKind
	Source    string // commit id, sha256 of the archive, or image reference
	State     BuildState
	Image     Image
	Processes []ProcessType
	Domains   []string            // that its aorta.yml asks for
	Route     RequestLimitsChange // likewise
	Error     string
	Steps     int           // of its Dockerfile; 0 for an image that existed
	Cached    int           // of those, how many were taken from the cache
	Took      time.Duration // without waiting for its turn; 0 until it has ended
	CreatedAt time.Time
	EndedAt   *time.Time

	Operation ID // that it is part of
}

// ReleaseState goes ready → running → retired, or failed.
type ReleaseState string

// The states of a release.
const (
	ReleaseReady   ReleaseState = "ready"
	ReleaseRunning ReleaseState = "running"
	ReleaseRetired ReleaseState = "retired"
	ReleaseFailed  ReleaseState = "failed"
)

// releaseMoves is the table of legal changes. A retired release that is rolled
// back to is not revived: the rollback makes a new release of its image.
var releaseMoves = map[ReleaseState][]ReleaseState{
	ReleaseReady:   {ReleaseRunning, ReleaseFailed},
	ReleaseRunning: {ReleaseRetired},
}

// CanBecome says whether the change is legal.
func (s ReleaseState) CanBecome(next ReleaseState) bool { return contains(releaseMoves[s], next) }

// Release is an immutable, numbered image with its config and process types.
type Release struct {
	ID        ID
	AppID     ID
	Number    int
	BuildID   ID
	State     ReleaseState
	Image     Image
	Processes []ProcessType
	Commit    string // empty when it did not come from git
	Message   string
	Author    string // of the commit, by name; empty when it did not come from git
	User      string // name of who made it
	Cause     string // "deploy", "config", "rollback to v3"
	Error     string
	CreatedAt time.Time
}

// Label is how people name the release: v12.
func (r Release) Label() string { return ReleaseLabel(r.Number) }

// ReleaseLabel is the label of a release's number.
func ReleaseLabel(n int) string { return fmt.Sprintf("v%d", n) }

// ParseReleaseLabel reads v12 (or 12) into its number.
func ParseReleaseLabel(field, s string) (int, error) {
	digits := strings.TrimPrefix(s, "v")
	n, err := strconv.ParseUint(digits, 10, 31)
	if err != nil || n < 1 || len(digits) > 9 {
		return 0, Invalid(field, "%q is not a release (such as v12)", Clip(s))
	}
	return int(n), nil
}

// Process finds the release's process type of that name.
func (r Release) Process(name string) (ProcessType, bool) {
	for _, p := range r.Processes {
		if p.Name == name {
			return p, true
		}
	}
	return ProcessType{}, false
}

// HasWeb says that requests can get to it: it has a process type for them.
func (r Release) HasWeb() bool {
	_, ok := r.Process(WebType)
	return ok
}

func contains[T comparable](list []T, x T) bool {
	for _, v := range list {
		if v == x {
			return true
		}
	}
	return false
}

// RolledBackFrom finds, in an app's releases from the newest on, those that a
// rollback took the traffic from.
func RolledBackFrom(list []Release) map[ID]bool {
	left := map[ID]bool{}
	for i, r := range list {
		if !strings.HasPrefix(r.Cause, rollbackCause) || r.State == ReleaseFailed {
			continue
		}
		for _, before := range list[i+1:] {
			if before.State == ReleaseRetired {
				left[before.ID] = true
				break
			}
		}
	}
	return left
}

const rollbackCause = "rollback to "

// RollbackCause is that of a release that restores another.
func RollbackCause(to Release) string { return rollbackCause + to.Label() }
