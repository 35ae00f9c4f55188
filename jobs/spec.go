package jobs

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"
)

// Limits on what is added. They keep one bad caller, or one bad node that
// grafts, from filling the store.
const (
	MaxArgs  = 64 << 10 // bytes of Args
	MaxJobs  = 10000    // jobs of one tree, grafts included
	MaxDepth = 64       // levels of Children in one Spec
)

// The priorities of a job; workers take lower numbers first.
const (
	High   = 0
	Normal = 1
	Low    = 2
)

// ErrInvalid is wrapped by every refusal of a Spec.
var ErrInvalid = errors.New("invalid job")

var (
	idPattern   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,63}$`)
	kindPattern = regexp.MustCompile(`^[a-z][a-z0-9._-]{0,63}$`)
)

// Subject names what a job is about, for people. All fields may be empty.
type Subject struct {
	App     string `json:"app,omitempty"`
	Release string `json:"release,omitempty"`
	Node    string `json:"node,omitempty"`
}

// Spec is a job to add, with what must succeed before it.
type Spec struct {
	// ID is a UUIDv7 chosen by the caller, never used twice: effects outside
	// are named by it, so that a second attempt finds what the first one made.
	ID      string          `json:"id"`
	Kind    string          `json:"kind"` // selects handler and policy
	Queue   Queue           `json:"queue"`
	Title   string          `json:"title,omitempty"` // for people
	Subject Subject         `json:"subject,omitzero"`
	Args    json.RawMessage `json:"args,omitempty"` // ids only; secrets don't belong here

	// Children must all succeed before this job is ready.
	Children []Spec `json:"children,omitempty"`

	// Cleanup marks a leaf that no job waits for. It becomes ready when its
	// tree has failed or was aborted and nothing else of it runs any more; in a
	// tree that succeeds it ends as aborted, unneeded.
	Cleanup bool `json:"cleanup,omitempty"`

	Priority int `json:"priority,omitempty"` // High, Normal or Low

	// NotBefore delays the job, by the keeper's clock; zero: at once. Its tree
	// may stop it meanwhile.
	NotBefore time.Time `json:"not_before,omitzero"`
}

// Validate checks the spec and all its children. The error wraps ErrInvalid and
// names the job.
func (s Spec) Validate() error {
	return s.validate(map[string]bool{}, 1)
}

func (s Spec) validate(seen map[string]bool, depth int) error {
	if err := s.check(); err != nil {
		return fmt.Errorf("%w %q: %w", ErrInvalid, s.ID, err)
	}
	if seen[s.ID] {
		return fmt.Errorf("%w %q: its id comes twice", ErrInvalid, s.ID)
	}
	seen[s.ID] = true
	if len(seen) > MaxJobs {
		return fmt.Errorf("%w %q: more than %d jobs in one tree", ErrInvalid, s.ID, MaxJobs)
	}
	if depth > MaxDepth {
		return fmt.Errorf("%w %q: more than %d levels", ErrInvalid, s.ID, MaxDepth)
	}
	for _, c := range s.Children {
		if err := c.validate(seen, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// check validates one job without its children.
func (s Spec) check() error {
	switch {
	case !idPattern.MatchString(s.ID):
		return errors.New("its id is not 1 to 64 letters, digits and dashes")
	case !kindPattern.MatchString(s.Kind):
		return fmt.Errorf("its kind %q is not a lower-case name", s.Kind)
	case s.Priority < High || s.Priority > Low:
		return fmt.Errorf("its priority %d is not %d to %d", s.Priority, High, Low)
	case len(s.Args) > MaxArgs:
		return fmt.Errorf("its arguments have %d bytes, more than %d", len(s.Args), MaxArgs)
	case len(s.Args) > 0 && !json.Valid(s.Args):
		return errors.New("its arguments are not JSON")
	case s.Cleanup && len(s.Children) > 0:
		return errors.New("a clean-up job has no children")
	}
	return s.Queue.Validate()
}
