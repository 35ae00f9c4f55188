package store

import (
	"context"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

func TestFormerBuild_IsTheNewestOfASourceThatServed(t *testing.T) {
	t.Parallel()
	s, c := openStoreAt(t)
	app, _ := newApp(t, s, "shop")
	build := func(kind cluster.SourceKind, state cluster.BuildState, serves bool) cluster.Build {
		timeout := time.Minute
		c.ns.Add(int64(time.Second))
		op := cluster.Operation{ID: cluster.NewID(), Kind: cluster.OpDeploy, AppID: app.ID, Title: "Deploy", User: "admin"}
		id := cluster.DeriveID(op.ID, "build", 0)
		testkit.Must(t, s.Begin(context.Background(), op, WithBuild(id, kind, "x")))
		testkit.Must(t, s.EndBuild(context.Background(), id, cluster.BuildResult{State: state, Route: cluster.RequestLimitsChange{Timeout: &timeout}}))
		b, err := s.Build(context.Background(), id)
		testkit.Must(t, err)
		if state == cluster.BuildReady {
			release, err := s.CreateRelease(t.Context(), NewRelease{Operation: op, Build: b})
			testkit.Must(t, err)
			if serves {
				testkit.Must(t, s.Promote(t.Context(), Promotion{App: app.ID, Release: release.ID}))
			}
		}
		return b
	}
	first := build(cluster.SourceCommit, cluster.BuildReady, true)
	build(cluster.SourceCommit, cluster.BuildFailed, false)
	build(cluster.SourceCommit, cluster.BuildReady, false)
	build(cluster.SourceImage, cluster.BuildReady, true)
	now := build(cluster.SourceCommit, cluster.BuildReady, true)
	build(cluster.SourceCommit, cluster.BuildReady, true)

	before, err := s.FormerBuild(t.Context(), now)
	testkit.Must(t, err)
	none, err := s.FormerBuild(t.Context(), first)
	testkit.Must(t, err)

	if before.ID != first.ID || before.Route.Timeout == nil || none.ID != "" {
		t.Errorf("got %+v and %+v, want the first one with its route, and none before it", before, none)
	}
}
