package steps

import (
	"slices"
	"time"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// sum makes one step of jobs that people see as one.
func sum(list []*jobs.Job) Step {
	slices.SortFunc(list, byID)
	s := Step{State: string(stateOf(list)), Jobs: []string{}}
	for _, j := range list {
		s.Jobs = append(s.Jobs, j.ID)
		s.Attempt = max(s.Attempt, j.Attempt)
		if !j.Started.IsZero() && (s.Started.IsZero() || j.Started.Before(s.Started)) {
			s.Started = j.Started
		}
		if j.Ended.After(s.Ended) {
			s.Ended = j.Ended
		}
		if j.State == jobs.Running && s.Progress == (jobs.Progress{}) {
			s.Progress = j.Progress
		}
	}
	if !s.Over() {
		s.Ended = time.Time{}
	}
	s.Error = errorOf(list)
	return s
}

// sumLine is sum for the jobs of one line. Where another instance is placed instead, the
// line is over once that is chosen, though the job that chose it waits for its start.
func sumLine(list []*jobs.Job, instead string) Step {
	s := sum(list)
	i := slices.IndexFunc(list, func(j *jobs.Job) bool { return j.Kind == cluster.JobPlaceAnew })
	switch {
	case i < 0 || list[i].State == jobs.Failed:
	case list[i].HandlerDone:
		s.State, s.Error, s.Progress, s.Ended = string(jobs.Superseded), instead, Progress{}, endOf(list)
	case !s.Over():
		s.Progress = Progress{Text: instead + ": another one is placed"}
	}
	return s
}

// endOf is when the first of them ended.
func endOf(list []*jobs.Job) (first time.Time) {
	for _, j := range list {
		if !j.Ended.IsZero() && (first.IsZero() || j.Ended.Before(first)) {
			first = j.Ended
		}
	}
	return first
}

// stateOf is the state of jobs together: they are at work from the first start to
// the last end.
func stateOf(list []*jobs.Job) jobs.State {
	count := map[jobs.State]int{}
	begun := false
	for _, j := range list {
		count[j.State]++
		begun = begun || !j.Started.IsZero()
	}
	open := count[jobs.Waiting] + count[jobs.Ready] + count[jobs.Running]
	switch {
	case count[jobs.Failed] > 0:
		return jobs.Failed
	case open == 0 && count[jobs.Aborted] > 0:
		return jobs.Aborted
	case open == 0 && count[jobs.Superseded] == len(list) && len(list) > 0:
		return jobs.Superseded
	case open == 0:
		return jobs.Succeeded
	case begun:
		return jobs.Running
	case count[jobs.Ready] > 0:
		return jobs.Ready
	}
	return jobs.Waiting
}

// errorOf is why the first of them failed, or why one of them is tried again. What
// was aborted or superseded has the cause of another.
func errorOf(list []*jobs.Job) string {
	var cause *jobs.Job
	for _, j := range list {
		if j.Error == "" || j.State == jobs.Aborted || j.State == jobs.Superseded || j.State == jobs.Succeeded {
			continue
		}
		if cause == nil || rank(j) < rank(cause) || rank(j) == rank(cause) && j.Ended.Before(cause.Ended) {
			cause = j
		}
	}
	if cause == nil {
		return ""
	}
	return cause.Error
}

func rank(j *jobs.Job) int {
	if j.State == jobs.Failed {
		return 0
	}
	return 1
}
