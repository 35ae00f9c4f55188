package overview

import (
	"time"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/plan"
)

// Summary is an app in a few values.
type Summary struct {
	Release  string // label of the one that serves, empty before the first
	NoWeb    bool   // that release has no web process: no address
	Running  int
	Wanted   int
	Missing  int                // of its process types, added up
	Crashing []cluster.Instance // see cluster.Instance.Troubled

	web int // wanted of the type that requests go to

	// down: no instance runs that requests could go to, or none at all.
	down bool
	// loops: the same, when none counts that runs between two crashes.
	loops bool
}

// summarize adds an app's instances up beside what its release wants. Before the
// first release, that is the zero one.
func summarize(app cluster.App, release cluster.Release, asked map[string]cluster.Formation, instances []cluster.Instance, now time.Time) Summary {
	var s Summary
	want := map[string]int{}
	if release.ID != "" {
		s.Release, s.NoWeb = release.Label(), !release.HasWeb()
		want = plan.Want(release, asked)
	}
	s.web = want[cluster.WebType]
	running := runningOf(instances, func(in cluster.Instance) bool { return !in.Crashing })
	steady := runningOf(instances, func(in cluster.Instance) bool { return isSteady(in, now) })
	for _, in := range instances {
		if in.Troubled(now) {
			s.Crashing = append(s.Crashing, in)
		}
	}
	for _, n := range running {
		s.Running += n
	}
	for typ, n := range want {
		if !app.Stopped {
			s.Wanted += n
			s.Missing += max(0, n-running[typ])
		}
	}
	s.down = noneOf(want, running)
	s.loops = !s.down && noneOf(want, steady)
	return s
}

// isSteady says that an instance that runs is not just between two crashes.
func isSteady(in cluster.Instance, now time.Time) bool {
	if in.Crashing {
		return false
	}
	settled := in.CrashedAt == nil || now.Sub(*in.CrashedAt) >= settles
	return settled && in.Restarts < loopRestarts || !in.Troubled(now)
}

// runningOf counts, by process type, those that run and are as asked.
func runningOf(instances []cluster.Instance, asked func(cluster.Instance) bool) map[string]int {
	counts := map[string]int{}
	for _, in := range instances {
		if in.State == cluster.InstanceRunning && asked(in) {
			counts[in.Type]++
		}
	}
	return counts
}

// noneOf says that nothing runs that requests could go to, or nothing at all.
// Requests go to web alone: other types that run make an app serve nothing.
func noneOf(want, running map[string]int) bool {
	all := 0
	for _, n := range running {
		all += n
	}
	return all == 0 || want[cluster.WebType] > 0 && running[cluster.WebType] == 0
}
