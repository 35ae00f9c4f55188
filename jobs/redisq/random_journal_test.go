package redisq

import (
	"bufio"
	"encoding/json"
	"os"
	"sync"
	"testing"

	"aorta/internal/testkit"
)

type eventKind string

// What the journal tells.
const (
	eventBegin eventKind = "begin" // a handler begins
	eventEnd   eventKind = "end"   // a handler has returned; its worker has not said so yet
	eventDead  eventKind = "dead"  // a process is gone
	eventMark  eventKind = "mark"  // the test itself
)

type event struct {
	What    eventKind `json:"what"`
	Pid     int       `json:"pid,omitempty"`
	Job     string    `json:"job,omitempty"`
	Attempt int       `json:"attempt,omitempty"`
	Nonce   string    `json:"nonce,omitempty"`
	Good    bool      `json:"good,omitempty"` // the handler returned nil
}

func (e event) line() []byte { return append(encode(e), '\n') }

// journal is what all handlers of all processes say, in one order. It is a pipe
// that they share: what was written stays when its writer is killed, and Redis
// has no part in it.
type journal struct {
	tb   testing.TB
	in   *os.File      // written by all processes
	done chan struct{} // closed when all writers have closed it

	mu     sync.Mutex // guards events
	events []event
}

// newJournal makes a journal; close ends it after all writers are gone.
func newJournal(tb testing.TB) *journal {
	tb.Helper()
	out, in, err := os.Pipe()
	if err != nil {
		tb.Fatalf("make the journal: %v", err)
	}
	j := &journal{tb: tb, in: in, done: make(chan struct{})}
	go j.read(out)
	return j
}

// read runs until the last writer has closed the pipe.
func (j *journal) read(out *os.File) {
	defer close(j.done)
	defer func() { _ = out.Close() }()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			j.tb.Errorf("a torn line in the journal: %q", lines.Text())
			continue
		}
		j.mu.Lock()
		j.events = append(j.events, e)
		j.mu.Unlock()
	}
}

func (j *journal) close() {
	_ = j.in.Close()
	<-j.done
}

func (j *journal) write(e event) {
	if _, err := j.in.Write(e.line()); err != nil {
		j.tb.Errorf("write the journal: %v", err)
	}
}

// all returns every event that was written before the call, and perhaps more.
func (j *journal) all() []event {
	mark := event{What: eventMark, Nonce: newID()}
	j.write(mark)
	var out []event
	testkit.Eventually(j.tb, "the journal to be read", func() bool {
		j.mu.Lock()
		defer j.mu.Unlock()
		out = j.events
		for i := len(out) - 1; i >= 0; i-- {
			if out[i] == mark {
				return true
			}
		}
		return false
	})
	return out
}

// run is one begun handler, as the journal tells it.
type run struct {
	event          // its begin
	begun int      // positions in the journal
	ended int      // of its end, or of its process's death; -1: it still runs
	good  bool     // it returned nil
	still []string // jobs at work when it began, itself left out
}

// replay makes runs of events, by job, in the order of their beginnings. Jobs
// that were never begun have none.
func replay(events []event) map[string][]*run {
	out := map[string][]*run{}
	open := map[string]*run{} // by nonce
	for i, e := range events {
		switch e.What {
		case eventBegin:
			r := &run{event: e, begun: i, ended: -1}
			for _, other := range open {
				r.still = append(r.still, other.Job)
			}
			open[e.Nonce] = r
			out[e.Job] = append(out[e.Job], r)
		case eventEnd:
			if r := open[e.Nonce]; r != nil {
				r.ended, r.good = i, e.Good
				delete(open, e.Nonce)
			}
		case eventDead:
			for nonce, r := range open {
				if r.Pid == e.Pid {
					r.ended = i
					delete(open, nonce)
				}
			}
		}
	}
	return out
}
