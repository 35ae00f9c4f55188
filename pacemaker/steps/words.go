package steps

import (
	"fmt"
	"strings"
	"time"

	"aorta/internal/duration"
	"aorta/jobs"
)

// Paint colours a text by the state of a step; Muted is for what matters less.
type Paint func(state, text string) string

// Muted is no state of a step: what is painted by it stays in the background.
const Muted = "muted"

// Plain leaves texts as they are.
func Plain(_, text string) string { return text }

// Symbol is the mark of a state.
func Symbol(state string) string {
	switch jobs.State(state) {
	case jobs.Running:
		return "▸"
	case jobs.Succeeded:
		return "✓"
	case jobs.Failed:
		return "✗"
	case jobs.Aborted, jobs.Superseded:
		return "–"
	}
	return "·"
}

// Text is a step in one line: its mark, its name, how long it took or has taken,
// and how far it is.
func (s Step) Text(now time.Time, paint Paint) string {
	text := paint(s.State, Symbol(s.State)) + " " + s.Name
	if s.Attempt > 1 {
		text += fmt.Sprintf(" (attempt %d)", s.Attempt)
	}
	if took := s.Took(now); took != "" {
		text += "  " + paint(Muted, took)
	}
	if far := s.Far(); far != "" && !s.Over() {
		text += "  " + far
	}
	switch {
	case s.State == string(jobs.Superseded) && s.Error != "":
		text += "  replaced: " + s.Error
	case s.State != string(jobs.Aborted):
	case s.Begun():
		text += "  cancelled"
	default:
		text += "  skipped"
	}
	return text
}

// Took is how long the step took, or has taken by now.
func (s Step) Took(now time.Time) string {
	if s.Over() {
		now = s.Ended
	}
	if !s.Begun() {
		return ""
	}
	return Took(now.Sub(s.Started))
}

// Took formats a duration, with tenths below a minute.
func Took(d time.Duration) string {
	switch {
	case d < 0:
		return ""
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return duration.Text(d.Round(time.Second))
}

// Far is how far the step is, in words.
func (s Step) Far() string {
	switch p := s.Progress; {
	case s.Parent != "":
		return p.Text // how many parts a start has is no matter
	case p.M > 0:
		return strings.TrimSpace(fmt.Sprintf("%d/%d %s", p.N, p.M, p.Text))
	default:
		return p.Text
	}
}

// Short is the name of a line without its node.
func (s Step) Short() string {
	name, _, _ := strings.Cut(s.Name, " on ")
	return name
}

// FirstLine is the first line of a text.
func FirstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}
