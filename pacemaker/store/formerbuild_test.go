package store

import (
	"context"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

func TestFormerBuild_IsOfTheLastThatServedOfASource(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	app, _ := newApp(t, s, "shop")
	begin := func() cluster.Operation {
		return cluster.Operation{ID: cluster.NewID(), Kind: cluster.OpDeploy, AppID: app.ID, Title: "Deploy", User: "admin"}
	}
	release := func(op cluster.Operation, build cluster.Build, serves bool) {
		release, err := s.CreateRelease(t.Context(), NewRelease{Operation: op, Build: build})
		testkit.Must(t, err)
		if serves {
			testkit.Must(t, s.Promote(t.Context(), Promotion{App: app.ID, Release: release.ID}))
		}
	}
	deploy := func(kind cluster.SourceKind, state cluster.BuildState, serves bool) (cluster.Operation, cluster.Build) {
		timeout, op := time.Minute, begin()
		id := cluster.DeriveID(op.ID, "build", 0)
		testkit.Must(t, s.Begin(context.Background(), op, WithBuild(id, kind, "x")))
		testkit.Must(t, s.EndBuild(context.Background(), id, cluster.BuildResult{State: state, Route: cluster.RequestLimitsChange{Timeout: &timeout}}))
		b, err := s.Build(context.Background(), id)
		testkit.Must(t, err)
		if state == cluster.BuildReady {
			release(op, b, serves)
		}
		return op, b
	}
	former := func(op cluster.Operation) cluster.Build {
		b, err := s.FormerBuild(t.Context(), op)
		testkit.Must(t, err)
		return b
	}

	one, first := deploy(cluster.SourceCommit, cluster.BuildReady, true)
	none := former(one)
	deploy(cluster.SourceCommit, cluster.BuildFailed, false)
	deploy(cluster.SourceCommit, cluster.BuildReady, false)
	deploy(cluster.SourceImage, cluster.BuildReady, true)
	two, second := deploy(cluster.SourceCommit, cluster.BuildReady, true)
	before := former(two)
	after := former(begin())
	release(begin(), first, true) // a rollback
	back := former(begin())

	if none.ID != "" || before.ID != first.ID || before.Route.Timeout == nil {
		t.Errorf("before the first and the second: got %+v and %+v, want none, and the first with its route", none, before)
	}
	if after.ID != second.ID || back.ID != first.ID {
		t.Errorf("after the second and after a rollback: got %s and %s, want %s and %s", after.ID, back.ID, second.ID, first.ID)
	}
}
