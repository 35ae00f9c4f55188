package overview

import (
	"context"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/plan"
)

// Summary is an app in a few values.
type Summary struct {
	Release string // label of the one that serves, empty before the first
	NoWeb   bool   // that release has no web process: no address
	Running int
	Wanted  int
	Missing int // of its process types, added up

	// down: no instance runs that requests could go to, or none at all.
	down bool
}

// Summary says how an app is, in fewer queries than a snapshot of all.
func (o *Overview) Summary(ctx context.Context, app cluster.App) (Summary, error) {
	release, err := o.serving(ctx, app)
	if err != nil || release.ID == "" {
		return Summary{}, err
	}
	asked, err := o.cfg.Store.Formations(ctx, app.ID)
	if err != nil {
		return Summary{}, err
	}
	list, err := o.cfg.Store.Instances(ctx, app.ID)
	return summarize(app, release, asked, list), err
}

// serving is the release that serves, the zero one before the first.
func (o *Overview) serving(ctx context.Context, app cluster.App) (cluster.Release, error) {
	weights, err := o.cfg.Store.Traffic(ctx, app.ID)
	if err != nil || len(weights) == 0 {
		return cluster.Release{}, err
	}
	return o.cfg.Store.Release(ctx, plan.Serving(weights))
}

// summarize adds an app's instances up beside what its release wants. Before the
// first release, that is the zero one.
func summarize(app cluster.App, release cluster.Release, asked map[string]cluster.Formation, instances []cluster.Instance) Summary {
	var s Summary
	running := map[string]int{}
	for _, in := range instances {
		if in.State == cluster.InstanceRunning && !in.Crashing {
			running[in.Type]++
			s.Running++
		}
	}
	want := map[string]int{}
	if release.ID != "" {
		s.Release, s.NoWeb = release.Label(), !release.HasWeb()
		want = plan.Want(release, asked)
	}
	for typ, n := range want {
		if !app.Stopped {
			s.Wanted += n
			s.Missing += max(0, n-running[typ])
		}
	}
	// Requests go to web alone: other types that run make it serve nothing.
	s.down = s.Running == 0 || want[cluster.WebType] > 0 && running[cluster.WebType] == 0
	return s
}
