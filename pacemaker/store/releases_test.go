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

// What a build's aorta.yml names becomes the app's with the traffic; its other
// limits stay. What has the traffic asks for nothing again.
func TestStore_ReleaseSetsWhatItsBuildNamesOnceItServes(t *testing.T) {
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

	wishes := Wishes{Route: read.Route, Domains: []string{"shop.example.com"}}
	release, err := s.CreateRelease(t.Context(), NewRelease{Operation: op, Build: read, Wishes: wishes})
	testkit.Must(t, err)
	made, hosts := requestsAndHosts(t, s, shop)
	testkit.Must(t, s.Promote(t.Context(), Promotion{App: shop.ID, Cause: op.ID, Release: release.ID, Wishes: wishes}))
	after, served := requestsAndHosts(t, s, shop)
	testkit.Must(t, s.RemoveDomain(t.Context(), shop, "shop.example.com", "admin"))
	testkit.Must(t, s.Promote(t.Context(), Promotion{App: shop.ID, Cause: op.ID, Release: release.ID, Wishes: wishes}))
	_, again := requestsAndHosts(t, s, shop)
	_, refused := s.ChangeRequestLimits(t.Context(), shop, cluster.RequestLimitsChange{Timeout: &long}, "admin")

	if want := (cluster.RequestLimits{Timeout: minute, MaxBody: size}); set != want {
		t.Errorf("set: got %+v, want %+v", set, want)
	}
	if made != set || hosts != 1 {
		t.Errorf("before the release serves: got %+v and %d hosts, want nothing changed", made, hosts)
	}
	if want := (cluster.RequestLimits{Timeout: minute, IdleTimeout: hour, MaxBody: size}); after != want || served != 2 {
		t.Errorf("once the release serves: got %+v and %d hosts, want %+v and two", after, served, want)
	}
	if again != 1 {
		t.Errorf("asked again: got %d hosts, want the removed one to stay away", again)
	}
	if cluster.CodeOf(refused) != cluster.CodeInvalid {
		t.Errorf("out of bounds: got %v, want invalid", refused)
	}
}

func requestsAndHosts(t *testing.T, s *Store, app cluster.App) (cluster.RequestLimits, int) {
	t.Helper()
	now, err := s.App(t.Context(), app.Name)
	testkit.Must(t, err)
	hosts, err := s.Domains(t.Context(), app.ID)
	testkit.Must(t, err)
	return now.Requests, len(hosts)
}

// A wish that can't come true is refused before anything is started for it, and
// again should that have changed.
func TestStore_ReleaseIsRefusedForWhatAnotherAppHas(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	shop, op := newApp(t, s, "shop")
	blog, _ := newApp(t, s, "blog")
	build, err := s.Build(t.Context(), cluster.DeriveID(op.ID, "build", 0))
	testkit.Must(t, err)
	wishes := Wishes{Domains: []string{"www.example.com"}}
	_, err = s.AddDomain(t.Context(), blog, "www.example.com", "admin")
	testkit.Must(t, err)

	_, early := s.CreateRelease(t.Context(), NewRelease{Operation: op, Build: build, Wishes: wishes})
	testkit.Must(t, s.RemoveDomain(t.Context(), blog, "www.example.com", "admin"))
	release, err := s.CreateRelease(t.Context(), NewRelease{Operation: op, Build: build, Wishes: wishes})
	testkit.Must(t, err)
	_, err = s.AddDomain(t.Context(), blog, "www.example.com", "admin")
	testkit.Must(t, err)
	late := s.Promote(t.Context(), Promotion{App: shop.ID, Cause: op.ID, Release: release.ID, Wishes: wishes})
	traffic, err := s.Traffic(t.Context(), shop.ID)

	if cluster.CodeOf(early) != cluster.CodeConflict || cluster.CodeOf(late) != cluster.CodeConflict {
		t.Errorf("got %v and %v, want both in conflict with blog", early, late)
	}
	if err != nil || len(traffic) > 0 {
		t.Errorf("got the traffic %v, %v, want none moved", traffic, err)
	}
}
