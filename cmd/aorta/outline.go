package main

import (
	"maps"
	"slices"
	"strings"
	"time"

	"aorta/web/client"
	"aorta/web/wire"
)

const (
	// foldAbove is the number of lines above which finished jobs are folded.
	foldAbove = 40
	// unfolded is how many finished jobs of each kind are printed even then.
	unfolded = 2
)

// outline prints a job tree in its present state.
type outline struct {
	out  *screen
	now  time.Time
	fold bool // finished siblings of a kind share a line
}

func (o outline) print(root wire.Job) { o.job(root, 0) }

func (o outline) job(j wire.Job, depth int) {
	o.head(j, strings.Repeat("  ", depth), showsError(j))
	o.children(j, depth+1)
}

// head prints a job without those below it.
func (o outline) head(j wire.Job, indent string, withError bool) {
	text := symbol(o.out, j.State) + " " + titleOf(j) + "  " + o.out.paint(muted, stateWord(j.State)) + o.lasts(j)
	if p := progressOf(j.Progress); p != "" && j.State == client.JobRunning {
		text += "  " + p
	}
	o.out.hanging(indent, text)
	for _, note := range notesOf(j) {
		for _, line := range wrap(note, o.out.beside(len(indent)+4)) {
			o.out.line("%s    %s", indent, o.out.paint(muted, line))
		}
	}
	if withError && showsError(j) {
		o.out.block(indent+"    ", cleanBlock(j.Error))
	}
}

// title is a job that is over, in one line.
func (o outline) title(j wire.Job) string {
	return symbol(o.out, j.State) + " " + titleOf(j) + o.lasts(j)
}

func (o outline) lasts(j wire.Job) string {
	if d := lasts(j, o.now); d != "" {
		return "  " + o.out.paint(muted, d)
	}
	return ""
}

// children prints the jobs below one; with fold, the first finished ones and a
// count of the others.
func (o outline) children(j wire.Job, depth int) {
	done := map[string]int{}
	for _, c := range j.Children {
		if o.fold && allDone(c) {
			if done[c.Kind]++; done[c.Kind] > unfolded {
				continue
			}
		}
		o.job(c, depth)
	}
	for _, kind := range slices.Sorted(maps.Keys(done)) {
		if more := done[kind] - unfolded; more > 0 {
			o.out.line("%s%s %d more", strings.Repeat("  ", depth), symbol(o.out, client.JobSucceeded), more)
		}
	}
}

// notesOf has what to know of a job beyond its state.
func notesOf(j wire.Job) []string {
	var notes []string
	if j.WaitsFor != nil {
		notes = append(notes, waitsFor(*j.WaitsFor))
	}
	if j.Reason != "" {
		notes = append(notes, "began by itself: "+clean(j.Reason))
	}
	if j.RetryOf != "" {
		notes = append(notes, "retry of "+short(clean(j.RetryOf)))
	}
	switch {
	case j.DiscardedAt != nil:
		notes = append(notes, "discarded by "+userOf(j.DiscardedBy))
	case j.Attention:
		notes = append(notes, "needs attention: run aorta jobs retry "+short(clean(j.ID))+" or aorta jobs discard "+short(clean(j.ID)))
	}
	return notes
}

func waitsFor(a wire.Ahead) string {
	return "waiting for " + clean(a.Title) + " by " + userOf(a.User) + " (" + short(clean(a.ID)) + ")"
}

func showsError(j wire.Job) bool {
	return j.Error != "" && (j.State == client.JobFailed || !client.JobEnded(j.State))
}

// allDone says that nothing below a job, itself included, is worth a look.
func allDone(j wire.Job) bool {
	return j.State == client.JobSucceeded && !slices.ContainsFunc(j.Children, func(c wire.Job) bool { return !allDone(c) })
}

// linesOf is how many lines a tree has unfolded.
func linesOf(j wire.Job) int {
	n := 1 + len(notesOf(j))
	if showsError(j) {
		n += 1 + strings.Count(strings.TrimRight(j.Error, "\n"), "\n")
	}
	for _, c := range j.Children {
		n += linesOf(c)
	}
	return n
}

// lasts is how long a job took, or has taken so far. The time of a root starts
// with its creation: its own handler is only the last step of the tree.
func lasts(j wire.Job, now time.Time) string {
	from, to := j.StartedAt, j.EndedAt
	if j.Parent == "" && j.CreatedAt != nil {
		from = j.CreatedAt
	}
	switch {
	case client.JobEnded(j.State):
		return took(from, to)
	case j.State == client.JobRunning:
		return took(from, &now)
	}
	return ""
}
