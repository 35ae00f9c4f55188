package main

import (
	"fmt"
	"strings"
	"time"

	"aorta/web/client"
	"aorta/web/wire"
)

// keptLines is how many of a job's last log lines are repeated when it fails.
const keptLines = 10

// progressInterval bounds how often a job's progress is printed.
const progressInterval = time.Second

// tree prints a job tree while it runs, a line for each change. It may get the
// same job any number of times.
type tree struct {
	out  *screen
	now  func() time.Time
	jobs map[string]*seenJob
	last string // job whose line was printed last
	// waits is the job that the root was last reported to wait for.
	waits string
}

type seenJob struct {
	wire.Job
	announced  bool
	lines      []string // the last ones of its log
	progressed time.Time
}

func newTree(out *screen, now func() time.Time) *tree {
	return &tree{out: out, now: now, jobs: map[string]*seenJob{}}
}

// job prints what changed in a job.
func (t *tree) job(j wire.Job) {
	known := t.jobs[j.ID]
	if known == nil {
		known = &seenJob{}
		t.jobs[j.ID] = known
	}
	before := known.Job
	known.Job = j
	if client.JobEnded(before.State) {
		return // its state is final; a new connection repeats it
	}
	t.waiting(j)
	switch {
	case client.JobEnded(j.State):
		t.ended(known)
	case j.State != client.JobRunning:
	case !known.announced:
		known.announced = true
		t.line(known, t.out.paint(live, "▸")+" "+titleOf(j))
		t.progress(known)
	case j.Progress != before.Progress:
		t.progress(known)
	}
}

// waiting prints the job that a root waits for, once for each.
func (t *tree) waiting(j wire.Job) {
	if j.WaitsFor == nil || j.WaitsFor.ID == t.waits {
		return
	}
	t.waits = j.WaitsFor.ID
	t.out.line("Waiting for another job to end: %s (by %s).", clean(j.WaitsFor.Title), userOf(j.WaitsFor.User))
}

// userOf is the user who started a job.
func userOf(user string) string { return clean(orText(user, "the platform")) }

func (t *tree) ended(j *seenJob) {
	text := symbol(t.out, j.State) + " " + titleOf(j.Job)
	if d := took(j.StartedAt, j.EndedAt); d != "" {
		text += "  " + t.out.paint(muted, d)
	}
	if j.State != client.JobSucceeded {
		text += "  " + j.State
		if j.Error != "" {
			text += ": " + clean(firstLine(j.Error))
		}
	}
	t.line(j, text)
}

func (t *tree) progress(j *seenJob) {
	text, now := progressOf(j.Progress), t.now()
	if text == "" || now.Sub(j.progressed) < progressInterval {
		return
	}
	j.progressed = now
	t.line(j, t.out.paint(muted, "  … "+text))
}

// log prints a line of a job's log, after the job's title if the line before it
// was another job's.
func (t *tree) log(l wire.JobLogLine) {
	j := t.jobs[l.Job]
	if j == nil {
		j = &seenJob{Job: wire.Job{ID: l.Job}}
		t.jobs[l.Job] = j
	}
	if t.last != l.Job && j.Title != "" {
		j.announced = true
		t.line(j, t.out.paint(live, "▸")+" "+titleOf(j.Job))
	}
	text := t.out.cleanLog(l.Text)
	j.lines = append(j.lines, text)
	if len(j.lines) > keptLines {
		j.lines = j.lines[1:]
	}
	t.line(j, t.out.paint(muted, "  │ ")+text)
}

func (t *tree) line(j *seenJob, text string) {
	t.last = j.ID
	t.out.line("%s%s", strings.Repeat("  ", t.depth(j)), text)
}

// depth is the number of known ancestors, bounded in case of a cycle.
func (t *tree) depth(j *seenJob) int {
	n := 0
	for p := t.jobs[j.Parent]; p != nil && n < 20; p = t.jobs[p.Parent] {
		n++
	}
	return n
}

// culprit is the job that made the tree fail: the first failed job without a
// failed child. Nil if there is none.
func (t *tree) culprit() *seenJob {
	blamed := map[string]bool{}
	for _, j := range t.jobs {
		if j.State == client.JobFailed {
			blamed[j.Parent] = true
		}
	}
	var first *seenJob
	for _, j := range t.jobs {
		if j.State == client.JobFailed && !blamed[j.ID] && (first == nil || endedBefore(j.Job, first.Job)) {
			first = j
		}
	}
	return first
}

func endedBefore(a, b wire.Job) bool {
	switch {
	case a.EndedAt == nil || b.EndedAt == nil:
		return b.EndedAt == nil && (a.EndedAt != nil || a.ID < b.ID)
	case a.EndedAt.Equal(*b.EndedAt):
		return a.ID < b.ID
	}
	return a.EndedAt.Before(*b.EndedAt)
}

func symbol(out *screen, state string) string {
	switch state {
	case client.JobRunning:
		return out.paint(live, "▸")
	case client.JobSucceeded:
		return out.paint(good, "✓")
	case client.JobFailed:
		return out.paint(bad, "✗")
	case client.JobAborted:
		return out.paint(muted, "–")
	}
	return out.paint(muted, "·")
}

func titleOf(j wire.Job) string {
	title := j.Title
	if title == "" {
		title = j.Kind
	}
	if j.Node != "" && !strings.Contains(title, j.Node) {
		title += " on " + j.Node
	}
	if j.Attempt > 1 {
		title += fmt.Sprintf(" (attempt %d)", j.Attempt)
	}
	return clean(title)
}

func progressOf(p wire.Progress) string {
	switch {
	case p.M > 0 && p.Text != "":
		return fmt.Sprintf("%d/%d %s", p.N, p.M, clean(p.Text))
	case p.M > 0:
		return fmt.Sprintf("%d/%d", p.N, p.M)
	}
	return clean(p.Text)
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
