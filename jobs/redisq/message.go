package redisq

import (
	"encoding/json"
	"errors"
	"fmt"

	"aorta/jobs"
)

// maxBody bounds the body of a message: a node can't make the keeper parse or
// store more than this at once.
const maxBody = 1 << 20

// maxResult bounds what a handler may return, as JSON.
const maxResult = 64 << 10

// maxText bounds an error or a log line.
const maxText = 8 << 10

type messageKind string

// The kinds of message on an out stream.
const (
	messageTaken    messageKind = "taken"
	messageBack     messageKind = "back" // an entry comes back, untouched
	messageDone     messageKind = "done"
	messageProgress messageKind = "progress"
	messageGraft    messageKind = "graft"
	messageWake     messageKind = "wake" // the keeper to its own reader
)

// message is what a worker says about a lease on its queue's out stream.
type message struct {
	Kind  messageKind
	Tree  string
	Job   string
	Lease string

	Worker   string        // taken
	Outcome  jobs.Outcome  // done
	Progress jobs.Progress // progress
	Graft    graft         // graft
}

// graft asks for children under a job of the sender's tree.
type graft struct {
	Parent string      `json:"parent"`
	Specs  []jobs.Spec `json:"specs"`
}

// values is the message as the fields of a stream entry.
func (m message) values() ([]any, error) {
	var body any
	switch m.Kind {
	case messageTaken:
		body = m.Worker
	case messageDone:
		body = m.Outcome
	case messageProgress:
		body = m.Progress
	case messageGraft:
		body = m.Graft
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode a %s message of job %s: %w", m.Kind, m.Job, err)
	}
	return []any{"k", string(m.Kind), "tree", m.Tree, "job", m.Job, "lease", m.Lease, "body", text}, nil
}

// parseMessage reads a stream entry that anyone with a node's password may have
// written.
func parseMessage(values map[string]any) (message, error) {
	field := func(name string) string { s, _ := values[name].(string); return s }
	m := message{
		Kind: messageKind(field("k")), Tree: field("tree"),
		Job: field("job"), Lease: field("lease"),
	}
	if m.Kind == messageWake {
		return m, nil
	}
	if m.Tree == "" || m.Job == "" || m.Lease == "" {
		return m, errors.New("tree, job or lease is missing")
	}
	body := field("body")
	if len(body) > maxBody {
		return m, fmt.Errorf("its body has %d bytes, more than %d", len(body), maxBody)
	}
	if err := m.parseBody([]byte(body)); err != nil {
		return m, fmt.Errorf("read the body of a %q message: %w", m.Kind, err)
	}
	return m, nil
}

func (m *message) parseBody(body []byte) error {
	switch m.Kind {
	case messageBack:
		return nil
	case messageTaken:
		err := json.Unmarshal(body, &m.Worker)
		m.Worker = clip(m.Worker, 128)
		return err
	case messageProgress:
		err := json.Unmarshal(body, &m.Progress)
		m.Progress.Text = clip(m.Progress.Text, maxText)
		return err
	case messageGraft:
		return json.Unmarshal(body, &m.Graft)
	case messageDone:
		return m.parseOutcome(body)
	}
	return errors.New("it is of no known kind")
}

func (m *message) parseOutcome(body []byte) error {
	if err := json.Unmarshal(body, &m.Outcome); err != nil {
		return err
	}
	switch m.Outcome.Kind {
	case jobs.OutcomeSucceeded, jobs.OutcomeFailed, jobs.OutcomeReleased, jobs.OutcomeReturned:
	default:
		return fmt.Errorf("outcome %q is unknown", m.Outcome.Kind)
	}
	if len(m.Outcome.Result) > maxResult {
		return fmt.Errorf("the result has %d bytes, more than %d", len(m.Outcome.Result), maxResult)
	}
	m.Outcome.Error = clip(m.Outcome.Error, maxText)
	return nil
}

// clip shortens a text to at most n bytes of valid UTF-8.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	const mark = " …"
	cut := n - len(mark)
	for cut > 0 && s[cut]&0xC0 == 0x80 {
		cut--
	}
	return s[:cut] + mark
}

// assignment is a job as its worker needs it.
type assignment struct {
	Job     jobs.Job `json:"job"` // the spec's fields and Tree
	Attempt int      `json:"attempt"`
	Timeout int64    `json:"timeout_ms,omitempty"`
}

// control is what the keeper says on a queue's control channel.
type control struct {
	Token  string `json:"token"`
	Why    string `json:"why"` // "abort" or "lost"
	Reason string `json:"reason"`
}
