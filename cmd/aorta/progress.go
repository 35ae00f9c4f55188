package main

import (
	"time"

	"aorta/pacemaker/steps"
	"aorta/web/client"
	"aorta/web/wire"
)

// keptLines is how many of a job's last log lines are repeated when it fails.
const keptLines = 10

// progress shows a job that is followed: what it waits for, its steps and their
// log lines, and how it ended. It may get the same any number of times.
type progress struct {
	out   *screen
	root  wire.Job
	all   []steps.Step // as they came last, lines among them
	shows interface {
		Step(s steps.Step)
		Log(job, text string)
	}
	logged map[string]bool // jobs of which a line was shown
	// waits is the job that the root was last reported to wait for.
	waits string
	close func()
}

func newProgress(out *screen, now func() time.Time) *progress {
	p := &progress{out: out, logged: map[string]bool{}, close: func() {}}
	if out.redraws {
		b := newBoard(out, now)
		p.shows, p.close = b, b.close
		return p
	}
	p.shows = steps.NewPrinter(func(text string) { out.line("%s", text) }, out.paintState)
	return p
}

// job takes what changed of a job; what people see of it comes as a step, but for
// the root's turn.
func (p *progress) job(j wire.Job) {
	if j.Parent != "" || client.JobEnded(p.root.State) {
		return
	}
	p.root = j
	if j.WaitsFor != nil && j.WaitsFor.ID != p.waits {
		p.waits = j.WaitsFor.ID
		p.out.line("Waiting for another job to end: %s (by %s).", clean(j.WaitsFor.Title), userOf(j.WaitsFor.User))
		p.out.line("To see it: aorta jobs follow %[1]s; to end it now: aorta jobs abort %[1]s", short(clean(j.WaitsFor.ID)))
	}
}

func (p *progress) step(w wire.Step) {
	s := stepOf(w)
	for i, known := range p.all {
		if known.ID == s.ID {
			p.all[i] = s
			p.shows.Step(s)
			return
		}
	}
	p.all = append(p.all, s)
	p.shows.Step(s)
}

func (p *progress) log(l wire.JobLogLine) {
	p.logged[l.Job] = true
	p.shows.Log(l.Job, p.out.cleanLog(l.Text))
}

// failed is the step that failed and the line below it that did first: the step
// again where none did.
func (p *progress) failed() (step, at steps.Step, found bool) {
	var list []steps.Step
	for _, s := range p.all {
		if s.Parent == "" {
			list = append(list, s)
		}
	}
	for _, s := range p.all {
		for i := range list {
			if s.Parent == list[i].ID {
				list[i].Children = append(list[i].Children, s)
			}
		}
	}
	return steps.Culprit(list)
}

// userOf is the user who started a job.
func userOf(user string) string { return clean(orText(user, "Aorta")) }

// stepOf is a step as it came, its texts safe to be printed.
func stepOf(w wire.Step) steps.Step {
	s := steps.Step{
		ID: w.ID, Parent: w.Parent, Index: w.Index, Name: clean(w.Name), State: w.State, Attempt: w.Attempt,
		Progress: steps.Progress{N: w.Progress.N, M: w.Progress.M, Text: clean(w.Progress.Text)},
		Error:    cleanBlock(w.Error), Jobs: w.Jobs,
	}
	if w.StartedAt != nil {
		s.Started = *w.StartedAt
	}
	if w.EndedAt != nil {
		s.Ended = *w.EndedAt
	}
	for _, c := range w.Children {
		s.Children = append(s.Children, stepOf(c))
	}
	return s
}

// paintState paints by the state of a step.
func (s *screen) paintState(state, text string) string {
	switch state {
	case client.JobRunning:
		return s.paint(live, text)
	case client.JobSucceeded:
		return s.paint(good, text)
	case client.JobFailed:
		return s.paint(bad, text)
	}
	return s.paint(muted, text)
}
