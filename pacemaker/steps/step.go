package steps

import (
	"slices"
	"time"

	"aorta/jobs"
)

// Progress is how far a step is: N of M, and a few words.
type Progress = jobs.Progress

// Step is one step of an operation, or one line below a step: an instance.
type Step struct {
	ID       string // of a step its kind, such as start; of a line below one, that and what it is about
	Parent   string // of a line: its step
	Index    int    // its place among those beside it
	Name     string // for people: Start, or web.1a2b3c4d on n1
	State    string // as that of a job
	Attempt  int
	Progress Progress
	Error    string // why it failed, what its attempt before failed of, or what takes its place and why
	Started  time.Time
	Ended    time.Time
	Jobs     []string // whose log lines are its own
	Children []Step
}

// Over says that the step will change no more.
func (s Step) Over() bool { return jobs.State(s.State).Ended() }

// Begun says that anything of the step has run.
func (s Step) Begun() bool { return !s.Started.IsZero() }

// Failed says that it failed itself, or a line below it.
func (s Step) Failed() bool { return s.State == string(jobs.Failed) }

// Same says that people would see the two alike, their lines left out.
func (s Step) Same(other Step) bool {
	return s.State == other.State && s.Progress == other.Progress && s.Attempt == other.Attempt && s.Error == other.Error &&
		s.Name == other.Name && s.Index == other.Index && len(s.Jobs) == len(other.Jobs) && s.Ended.Equal(other.Ended)
}

// Flat lists steps with the lines below each, in the order of a page.
func Flat(list []Step) []Step {
	var out []Step
	for _, s := range list {
		lines := s.Children
		s.Children = nil
		out = append(append(out, s), lines...)
	}
	return out
}

// Culprit is the first step that failed, and the line of it that failed first: the
// step again where none did.
func Culprit(list []Step) (step, at Step, found bool) {
	i := slices.IndexFunc(list, Step.Failed)
	if i < 0 {
		return step, at, false
	}
	step, at = list[i], list[i]
	for _, line := range step.Children {
		if line.Failed() && (at.ID == step.ID || line.Ended.Before(at.Ended)) {
			at = line
		}
	}
	return step, at, true
}
