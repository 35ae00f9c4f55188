package rig

import (
	"encoding/json"
	"sync"

	"aorta/jobs"
)

// Job is a job's handle for a handler under test. It keeps what the handler
// logs.
type Job struct {
	Arguments any               // that Args decodes
	OnLog     func(line string) // called with each line, if set
	Grafted   []jobs.Spec       // what the handler has added; read it once the handler has returned

	// mu guards the rest.
	mu       sync.Mutex
	lines    []string
	progress []string
}

// Args decodes the arguments as a real job does, through JSON.
func (j *Job) Args(into any) error {
	data, err := json.Marshal(j.Arguments)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// Log keeps a line.
func (j *Job) Log(line string) {
	j.mu.Lock()
	j.lines = append(j.lines, line)
	j.mu.Unlock()
	if j.OnLog != nil {
		j.OnLog(line)
	}
}

// Progress keeps the text of each step.
func (j *Job) Progress(_, _ int, text string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.progress = append(j.progress, text)
}

// Graft keeps the specs.
func (j *Job) Graft(children ...jobs.Spec) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.Grafted = append(j.Grafted, children...)
	return nil
}

// Lines returns the lines logged so far.
func (j *Job) Lines() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]string(nil), j.lines...)
}

// Steps returns the texts of the progress so far.
func (j *Job) Steps() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]string(nil), j.progress...)
}
