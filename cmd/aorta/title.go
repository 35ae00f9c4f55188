package main

import (
	"fmt"
	"strings"

	"aorta/pacemaker/steps"
	"aorta/web/wire"
)

// symbol is the mark of a job's state.
func symbol(out *screen, state string) string { return out.paintState(state, steps.Symbol(state)) }

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
