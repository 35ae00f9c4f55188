package store

import (
	"context"
	"testing"

	"aorta/pacemaker/cluster"
)

func TestStore_CreateReleaseTwiceGivesOne(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ctx := context.Background()
	_, op := newApp(t, s, "shop")
	first := newRelease(t, s, op)

	build, err := s.Build(ctx, first.BuildID)
	must(t, err)
	again, err := s.CreateRelease(ctx, NewRelease{Operation: op, Build: build})
	must(t, err)

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
	must(t, s.EndBuild(ctx, id, cluster.BuildResult{State: cluster.BuildReady, Image: cluster.Image{ID: "sha256:first"}}))

	must(t, s.EndBuild(ctx, id, cluster.BuildResult{State: cluster.BuildFailed, Error: "late"}))

	b, err := s.Build(ctx, id)
	must(t, err)
	if b.State != cluster.BuildReady || b.Image.ID != "sha256:first" {
		t.Errorf("got %s %s, want ready sha256:first", b.State, b.Image.ID)
	}
}
