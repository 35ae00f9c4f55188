package jobs

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Errors of the tree's rules.
var (
	ErrNotFound = errors.New("no such job")
	// ErrOver says that the job or the tree is past the point where the change
	// would make sense.
	ErrOver = errors.New("too late")
)

// Stop says why a tree ends early, and how.
type Stop struct {
	State  State  `json:"state"`         // Failed or Aborted
	Reason string `json:"reason"`        // for people
	Job    string `json:"job,omitempty"` // the job that failed
}

// Tree is a root job and everything below it. It is not safe for concurrent
// use. A tree read back from storage works like a new one.
type Tree struct {
	ID        string          `json:"id"` // the root job's id
	Operation string          `json:"operation,omitempty"`
	State     State           `json:"state"` // Running, then how it ended
	Stop      *Stop           `json:"stop,omitempty"`
	Created   time.Time       `json:"created"`
	Ended     time.Time       `json:"ended,omitzero"`
	Jobs      map[string]*Job `json:"jobs,omitempty"`

	kids     map[string][]string // parent → children, clean-up left out
	openMain int                 // jobs not ended, clean-up left out
	openAll  int                 // jobs not ended
	changed  map[string]bool     // since the last Drain
}

// New makes a tree whose leaves are ready. The error wraps ErrInvalid.
func New(root Spec, operation string, now time.Time) (*Tree, error) {
	if err := root.Validate(); err != nil {
		return nil, err
	}
	if root.Cleanup {
		return nil, fmt.Errorf("%w %q: the root can't be a clean-up job", ErrInvalid, root.ID)
	}
	t := &Tree{
		ID: root.ID, Operation: operation, State: Running, Created: now,
		Jobs: map[string]*Job{},
	}
	t.index()
	t.plant(root, "", now)
	return t, nil
}

// Job returns a job of the tree, or ErrNotFound.
func (t *Tree) Job(id string) (*Job, error) {
	if j := t.Jobs[id]; j != nil {
		return j, nil
	}
	return nil, fmt.Errorf("job %s in tree %s: %w", id, t.ID, ErrNotFound)
}

// Children lists a job's children in the order of their ids, clean-up last.
func (t *Tree) Children(id string) []*Job {
	var out []*Job
	for _, j := range t.Jobs {
		if j.Parent == id && j.ID != id {
			out = append(out, j)
		}
	}
	slices.SortFunc(out, func(a, b *Job) int {
		if a.Cleanup != b.Cleanup {
			return map[bool]int{true: 1, false: -1}[a.Cleanup]
		}
		return compare(a.ID, b.ID)
	})
	return out
}

// Ready lists the jobs that may be queued now: ready, without a lease, due. The
// order is by priority, then id.
func (t *Tree) Ready(now time.Time) []string {
	var out []string
	for id, j := range t.Jobs {
		if j.State == Ready && j.Lease == "" && !j.Due.After(now) {
			out = append(out, id)
		}
	}
	slices.SortFunc(out, func(a, b string) int {
		if d := t.Jobs[a].Priority - t.Jobs[b].Priority; d != 0 {
			return d
		}
		return compare(a, b)
	})
	return out
}

// ToCancel lists the leased jobs of a stopped tree: what must be taken back from
// its queue, or cancelled. Clean-up jobs are not touched.
func (t *Tree) ToCancel() []string {
	if t.Stop == nil {
		return nil
	}
	var out []string
	for id, j := range t.Jobs {
		if !j.Cleanup && j.leased() {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// Drain names the jobs that changed since the last call, sorted. The tree's own
// fields may have changed with them.
func (t *Tree) Drain() []string {
	out := make([]string, 0, len(t.changed))
	for id := range t.changed {
		out = append(out, id)
	}
	clear(t.changed)
	slices.Sort(out)
	return out
}

// index builds what is not stored. Every rule calls it first.
func (t *Tree) index() {
	if t.kids != nil {
		return
	}
	t.kids, t.changed = map[string][]string{}, map[string]bool{}
	for id, j := range t.Jobs {
		if j.Parent != "" && !j.Cleanup {
			t.kids[j.Parent] = append(t.kids[j.Parent], id)
		}
		t.count(j, 1)
	}
}

// count adds n to the counters of open jobs, if j is one.
func (t *Tree) count(j *Job, n int) {
	if j.State.Ended() {
		return
	}
	t.openAll += n
	if !j.Cleanup {
		t.openMain += n
	}
}

// move changes a job's state if the table allows it.
func (t *Tree) move(j *Job, to State, now time.Time) bool {
	if !j.State.CanBecome(to) {
		return false
	}
	t.count(j, -1)
	j.State = to
	t.count(j, 1)
	t.touch(j)
	switch {
	case to.Ended():
		j.Ended = now
	case to == Ready:
		j.Due = j.NotBefore
	}
	return true
}

func (t *Tree) touch(j *Job) { t.changed[j.ID] = true }

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
