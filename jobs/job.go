package jobs

import (
	"encoding/json"
	"time"
)

// Progress is how far a job is: N of M, and a few words. M is 0 when the whole
// is unknown.
type Progress struct {
	N    int    `json:"n"`
	M    int    `json:"m"`
	Text string `json:"text,omitempty"`
}

// Job is one node of a tree: its Spec, flattened, and what became of it.
type Job struct {
	ID       string          `json:"id"`
	Tree     string          `json:"tree"`             // the root job's id
	Parent   string          `json:"parent,omitempty"` // empty for the root
	Kind     string          `json:"kind"`
	Queue    Queue           `json:"queue"`
	Title    string          `json:"title,omitempty"`
	Subject  Subject         `json:"subject,omitzero"`
	Args     json.RawMessage `json:"args,omitempty"`
	Cleanup  bool            `json:"cleanup,omitempty"`
	Priority int             `json:"priority,omitempty"`
	// NotBefore is the earliest time of the first attempt.
	NotBefore time.Time `json:"not_before,omitzero"`

	State    State           `json:"state"`
	Attempt  int             `json:"attempt,omitempty"`  // runs begun
	Failures int             `json:"failures,omitempty"` // runs that ended in an error
	Crashes  int             `json:"crashes,omitempty"`  // leases lost
	Progress Progress        `json:"progress,omitzero"`
	Result   json.RawMessage `json:"result,omitempty"`
	Error    string          `json:"error,omitempty"` // of the last attempt, or why it was aborted
	Created  time.Time       `json:"created"`
	Started  time.Time       `json:"started,omitzero"` // of the last attempt
	Ended    time.Time       `json:"ended,omitzero"`
	Worker   string          `json:"worker,omitempty"` // of the last attempt

	// Due is when a ready job may be queued; zero means now.
	Due time.Time `json:"due,omitzero"`
	// Lease is the token under which the job was queued last. A message about
	// the job counts only if it carries this token. It is empty while a ready
	// job is not to be queued yet, and stays after the end.
	Lease string `json:"lease,omitempty"`
	// HandlerDone says that the handler returned nil and only grafted children
	// are missing.
	HandlerDone bool `json:"handler_done,omitempty"`
}

// newJob flattens a spec.
func newJob(s Spec, tree, parent string, now time.Time) *Job {
	return &Job{
		ID: s.ID, Tree: tree, Parent: parent, Kind: s.Kind, Queue: s.Queue,
		Title: s.Title, Subject: s.Subject, Args: s.Args, Cleanup: s.Cleanup,
		Priority: s.Priority, NotBefore: s.NotBefore, State: Waiting, Created: now,
	}
}

// leased says whether a worker has the job or may take it at any moment.
func (j *Job) leased() bool {
	return j.State == Running || j.State == Ready && j.Lease != ""
}
