package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// A list of builds has how each went and what it is part of, page by page.
func TestBuilds_AreListedWithTheirDeploys(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	app, first := newApp(t, s, "shop")
	newApp(t, s, "other")
	second := newDeploy(t, s, app)
	built := cluster.DeriveID(first.ID, "build", 0)
	testkit.Must(t, s.EndBuild(t.Context(), built, cluster.BuildResult{
		State: cluster.BuildReady, Image: cluster.Image{ID: "sha256:1", Ref: "aorta/shop", Size: 7}, Steps: 4, Cached: 3, Took: time.Minute,
	}))
	b, err := s.Build(t.Context(), built)
	testkit.Must(t, err)
	_, err = s.CreateRelease(t.Context(), NewRelease{Operation: first, Build: b})
	testkit.Must(t, err)

	all, err := s.Builds(t.Context(), app.ID, "", 10)
	testkit.Must(t, err)
	one, err := s.Builds(t.Context(), app.ID, "", 1)
	testkit.Must(t, err)
	next, err := s.Builds(t.Context(), app.ID, one[0].ID, 10)
	testkit.Must(t, err)

	type row struct {
		Op            cluster.ID
		Release       int
		Steps, Cached int
		Took          time.Duration
		Size          int64
	}
	rows := func(list []ListedBuild) (rows []row) {
		for _, b := range list {
			rows = append(rows, row{b.Operation.ID, b.Release, b.Steps, b.Cached, b.Took, b.Image.Size})
		}
		return rows
	}
	old, open := row{first.ID, 1, 4, 3, time.Minute, 7}, row{Op: second.ID}
	if diff := cmp.Diff([][]row{{open, old}, {open}, {old}}, [][]row{rows(all), rows(one), rows(next)}); diff != "" {
		t.Errorf("all, the first page, the next: want - got +\n%s", diff)
	}
}
