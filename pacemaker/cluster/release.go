package cluster

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

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
	Domains   []string // that its aorta.yml asks for
	Error     string
	CreatedAt time.Time
	EndedAt   *time.Time
}

// Image names an image three ways: for people, for the engine, for a registry.
type Image struct {
	Ref    string `json:"ref"`              // what was asked for, or the tag a build made
	ID     string `json:"id"`               // "sha256:…", the engine's own id
	Digest string `json:"digest,omitempty"` // "sha256:…" of the manifest, when it came from a registry
	Size   int64  `json:"size,omitempty"`   // bytes
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
	n, err := strconv.Atoi(strings.TrimPrefix(s, "v"))
	if err != nil || n < 1 || len(s) > 10 {
		return 0, Invalid(field, "%q is not a release (such as v12)", clip(s))
	}
	return n, nil
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

func contains[T comparable](list []T, x T) bool {
	for _, v := range list {
		if v == x {
			return true
		}
	}
	return false
}
