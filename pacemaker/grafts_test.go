package pacemaker

import (
	"testing"
	"time"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// What a heart asks for is what heart.askForImage makes.
func TestMayGraft(t *testing.T) {
	t.Parallel()
	own, other := cluster.NewID(), cluster.NewID()
	start := func(change func(start, provide *jobs.Spec)) jobs.Spec {
		p := jobs.Spec{ID: "p", Kind: cluster.JobProvide, Queue: pacemakerQueue, Args: encoded(cluster.ProvideArgs{Build: cluster.NewID(), Node: own})}
		s := jobs.Spec{ID: "s", Kind: cluster.JobStart, Queue: pacemakerQueue, Args: encoded(cluster.NodeArgs{Node: own})}
		change(&s, &p)
		s.Children = append(s.Children, p)
		return s
	}
	asks := start(func(*jobs.Spec, *jobs.Spec) {})
	destroy := jobs.Spec{ID: "d", Kind: cluster.JobDestroy, Queue: pacemakerQueue, Args: encoded(cluster.OperationArgs{Operation: cluster.NewID()})}
	node := jobs.NodeQueue(string(own))
	for name, c := range map[string]struct {
		queue jobs.Queue
		kind  string
		spec  jobs.Spec
		want  bool
	}{
		"the pacemaker":             {pacemakerQueue, cluster.JobPlace, jobs.Spec{Kind: cluster.JobInstanceStart, Queue: node}, true},
		"a start without its image": {node, cluster.JobInstanceStart, asks, true},
		"another job of the node":   {node, cluster.JobImagePrune, asks, false},
		"a builder":                 {builderQueue, cluster.JobBuild, asks, false},
		"a builder's own":           {builderQueue, cluster.JobBuild, jobs.Spec{Kind: cluster.JobBuild, Queue: builderQueue}, false},
		"a destruction":             {node, cluster.JobInstanceStart, destroy, false},
		"its own queue":             {node, cluster.JobInstanceStart, jobs.Spec{Kind: cluster.JobInstanceStop, Queue: node}, false},
		"a build":                   {node, cluster.JobInstanceStart, jobs.Spec{Kind: cluster.JobBuild, Queue: builderQueue}, false},
		"a start alone":             {node, cluster.JobInstanceStart, jobs.Spec{Kind: cluster.JobStart, Queue: pacemakerQueue, Args: asks.Args}, false},
		"elsewhere":                 {node, cluster.JobInstanceStart, start(func(s, _ *jobs.Spec) { s.Args = encoded(cluster.NodeArgs{Node: other}) }), false},
		"an image elsewhere":        {node, cluster.JobInstanceStart, start(func(_, p *jobs.Spec) { p.Args = encoded(cluster.ProvideArgs{Node: other}) }), false},
		"no arguments":              {node, cluster.JobInstanceStart, start(func(s, _ *jobs.Spec) { s.Args = nil }), false},
		"another node's queue":      {node, cluster.JobInstanceStart, start(func(_, p *jobs.Spec) { p.Queue = jobs.NodeQueue(string(other)) }), false},
		"something below":           {node, cluster.JobInstanceStart, start(func(_, p *jobs.Spec) { p.Children = []jobs.Spec{destroy} }), false},
		"something beside":          {node, cluster.JobInstanceStart, start(func(s, _ *jobs.Spec) { s.Children = []jobs.Spec{destroy} }), false},
		"a clean-up":                {node, cluster.JobInstanceStart, start(func(_, p *jobs.Spec) { p.Cleanup = true }), false},
		"one that waits":            {node, cluster.JobInstanceStart, start(func(_, p *jobs.Spec) { p.NotBefore = time.Now() }), false},
	} {
		if got := MayGraft(&jobs.Job{Kind: c.kind, Queue: c.queue}, c.spec); got != c.want {
			t.Errorf("%s: got %t, want %t", name, got, c.want)
		}
	}
}
