package store

import (
	"context"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

func TestFormerBuild_IsTheNewestOfASourceThatWasReady(t *testing.T) {
	t.Parallel()
	s, c := openStoreAt(t)
	app, _ := newApp(t, s, "shop")
	build := func(kind cluster.SourceKind, state cluster.BuildState, timeout time.Duration) cluster.Build {
		c.ns.Add(int64(time.Second))
		op := cluster.Operation{ID: cluster.NewID(), Kind: cluster.OpDeploy, AppID: app.ID, Title: "Deploy", User: "admin"}
		id := cluster.DeriveID(op.ID, "build", 0)
		testkit.Must(t, s.Begin(context.Background(), op, WithBuild(id, kind, "x")))
		testkit.Must(t, s.EndBuild(context.Background(), id, cluster.BuildResult{State: state, Route: cluster.RequestLimitsChange{Timeout: &timeout}}))
		b, err := s.Build(context.Background(), id)
		testkit.Must(t, err)
		return b
	}
	first := build(cluster.SourceCommit, cluster.BuildReady, time.Minute)
	build(cluster.SourceCommit, cluster.BuildFailed, time.Minute)
	build(cluster.SourceImage, cluster.BuildReady, time.Minute)
	now := build(cluster.SourceCommit, cluster.BuildReady, time.Minute)
	build(cluster.SourceCommit, cluster.BuildReady, time.Minute)

	before, err := s.FormerBuild(t.Context(), now)
	testkit.Must(t, err)
	none, err := s.FormerBuild(t.Context(), first)
	testkit.Must(t, err)

	if before.ID != first.ID || before.Route.Timeout == nil || none.ID != "" {
		t.Errorf("got %+v and %+v, want the first one with its route, and none before it", before, none)
	}
}
