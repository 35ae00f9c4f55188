package overview

import (
	"fmt"
	"strings"

	"aorta/pacemaker/cluster"
)

// Verdict is the cluster's state in a word and in a sentence, with the concerns that
// Concerns found in it.
func (g Snapshot) Verdict(concerns []Concern) (Severity, string) {
	if len(concerns) == 0 {
		return SeverityOK, g.servingText() + g.workText()
	}
	worst := concerns[0]
	if rest := len(concerns) - 1; rest > 0 {
		return worst.Severity, fmt.Sprintf("%s. And %d more.", strings.TrimSuffix(worst.Text, "."), rest)
	}
	return worst.Severity, worst.Text
}

// Counts says how many apps there are, and how many of them serve and are
// stopped. One that is being destroyed does not count.
func (g Snapshot) Counts() (total, serving, stopped int) {
	for _, a := range g.Apps {
		if a.Destroying {
			continue
		}
		total++
		switch {
		case a.State == AppServing, a.State == AppRunning, a.State == AppDeploying && a.Running > 0:
			serving++
		case a.State == AppStopped:
			stopped++
		}
	}
	return total, serving, stopped
}

func (g Snapshot) servingText() string {
	total, serving, stopped := g.Counts()
	var s string
	switch {
	case total == 0:
		return "No apps yet."
	case serving == 0:
		s = "No apps are running"
	case serving == total && serving == 1:
		return "The one app is running."
	case serving == total:
		return fmt.Sprintf("All %d apps are running.", serving)
	default:
		s = fmt.Sprintf("%d of %d apps running", serving, total)
	}
	if stopped > 0 {
		s += fmt.Sprintf(", %d stopped", stopped)
	}
	if rest := total - serving - stopped; rest > 0 {
		s += fmt.Sprintf(", %d not deployed yet", rest)
	}
	return s + "."
}

// workText names what people asked for and is under way.
func (g Snapshot) workText() string {
	var asked []cluster.Operation
	for _, op := range g.Open {
		if !op.Kind.Recurring() {
			asked = append(asked, op)
		}
	}
	switch len(asked) {
	case 0:
		return ""
	case 1:
		return " Running: " + asked[0].Title + "."
	}
	return fmt.Sprintf(" %d jobs are running.", len(asked))
}
