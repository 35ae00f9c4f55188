package store

import (
	"context"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

func TestStore_CreateReleaseTwiceGivesOne(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ctx := context.Background()
	_, op := newApp(t, s, "shop")
	first := newRelease(t, s, op)

	build, err := s.Build(ctx, first.BuildID)
	testkit.Must(t, err)
	again, err := s.CreateRelease(ctx, NewRelease{Operation: op, Build: build})
	testkit.Must(t, err)

	if again.ID != first.ID || again.Number != 1 {
		t.Errorf("got %s %s, want the first one again: %s v1", again.Label(), again.ID, first.ID)
	}
}

func TestStore_EndBuildTwiceKeepsTheFirst(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ctx := context.Background()
	_, op := newApp(t, s, "shop")
	id := cluster.DeriveID(op.ID, "build", 0)
	testkit.Must(t, s.EndBuild(ctx, id, cluster.BuildResult{State: cluster.BuildReady, Image: cluster.Image{ID: "sha256:first"}}))

	testkit.Must(t, s.EndBuild(ctx, id, cluster.BuildResult{State: cluster.BuildFailed, Error: "late"}))

	b, err := s.Build(ctx, id)
	testkit.Must(t, err)
	if b.State != cluster.BuildReady || b.Image.ID != "sha256:first" {
		t.Errorf("got %s %s, want ready sha256:first", b.State, b.Image.ID)
	}
}

// What a build's aorta.yml names becomes the app's; its other limits stay.
func TestStore_ReleaseSetsTheLimitsItsBuildNames(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	shop, op := newApp(t, s, "shop")
	minute, size := time.Minute, int64(1000)
	set, err := s.ChangeRequestLimits(t.Context(), shop, cluster.RequestLimitsChange{Timeout: &minute, MaxBody: &size}, "admin")
	testkit.Must(t, err)
	hour, long := time.Hour, 25*time.Hour
	build := cluster.DeriveID(op.ID, "build", 0)
	testkit.Must(t, s.EndBuild(t.Context(), build, cluster.BuildResult{State: cluster.BuildReady, Route: cluster.RequestLimitsChange{IdleTimeout: &hour}}))
	read, err := s.Build(t.Context(), build)
	testkit.Must(t, err)

	_, err = s.CreateRelease(t.Context(), NewRelease{Operation: op, Build: read, Route: read.Route})
	testkit.Must(t, err)
	after, err := s.App(t.Context(), "shop")
	testkit.Must(t, err)
	_, refused := s.ChangeRequestLimits(t.Context(), shop, cluster.RequestLimitsChange{Timeout: &long}, "admin")

	if want := (cluster.RequestLimits{Timeout: minute, MaxBody: size}); set != want {
		t.Errorf("set: got %+v, want %+v", set, want)
	}
	if want := (cluster.RequestLimits{Timeout: minute, IdleTimeout: hour, MaxBody: size}); after.Requests != want {
		t.Errorf("after the release: got %+v, want %+v", after.Requests, want)
	}
	if cluster.CodeOf(refused) != cluster.CodeInvalid {
		t.Errorf("out of bounds: got %v, want invalid", refused)
	}
}
