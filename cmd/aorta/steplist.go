package main

import (
	"fmt"
	"time"

	"aorta/pacemaker/steps"
	"aorta/web/client"
	"aorta/web/wire"
)

// stepList prints a job with its steps in the order in which they happen.
type stepList struct {
	out  *screen
	now  time.Time
	fold bool // most lines that are done share one
}

func (l stepList) print(root wire.Job) {
	outline{out: l.out, now: l.now}.head(root, "", len(root.Steps) == 0)
	for _, w := range root.Steps {
		s := stepOf(w)
		l.step(s, "  ")
		l.lines(s)
	}
}

func (l stepList) step(s steps.Step, indent string) {
	l.out.hanging(indent, s.Text(l.now, l.out.paintState))
	if s.Error != "" && (s.Failed() || !s.Over()) {
		l.out.block(indent+"  ", s.Error)
	}
}

// lines prints the lines of a step; with fold, the first ones that are done and a
// count of the others.
func (l stepList) lines(s steps.Step) {
	done := 0
	for _, line := range s.Children {
		if line.State == client.JobSucceeded {
			if done++; l.fold && done > unfolded {
				continue
			}
		}
		l.step(line, "    ")
	}
	if more := done - unfolded; l.fold && more > 0 {
		l.out.line("    %s %d more", symbol(l.out, client.JobSucceeded), more)
	}
}

// linesOfSteps is how many lines steps have unfolded.
func linesOfSteps(list []wire.Step) int {
	n := 0
	for _, s := range list {
		n += 1 + linesOfSteps(s.Children)
	}
	return n
}

// failedJobs are the jobs of what failed: of the lines of a step, or of the step
// where no line did.
func failedJobs(list []wire.Step) []string {
	var ids []string
	for _, s := range list {
		below := failedJobs(s.Children)
		ids = append(ids, below...)
		if s.State == client.JobFailed && len(below) == 0 {
			ids = append(ids, s.Jobs...)
		}
	}
	return ids
}

// failureText is why a job failed, and in which step.
func failureText(root wire.Job, p *progress) string {
	step, at, found := p.failed()
	where, cause := titleOf(root)+" failed", root.Error
	if found {
		where += " at " + step.Name
		if cause == "" {
			cause = at.Error
		}
	}
	return fmt.Sprintf("%s: %s", where, cleanBlock(orText(cause, "no cause reported")))
}
