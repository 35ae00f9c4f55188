package sources

import (
	"path/filepath"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/internal/rig"
	"aorta/pacemaker/store"
)

func TestMain(m *testing.M) { rig.Main(m) }

// fixture are the sources over a real store and real repositories.
type fixture struct {
	*rig.Rig
	sources *Sources
}

func newRig(tb testing.TB) *fixture {
	tb.Helper()
	r := &fixture{Rig: rig.New(tb)}
	r.sources = New(Config{Store: r.Store, ReposDir: r.Dir, Dir: r.dir(), Cluster: cluster.NewID(), Now: r.Clock.Now})
	return r
}

func (r *fixture) dir() string { return filepath.Join(r.Dir, "sources") }

func (r *fixture) repoOf(app cluster.App) rig.Repo {
	r.TB.Helper()
	repo, err := r.sources.InitRepo(r.TB.Context(), app)
	testkit.Must(r.TB, err)
	return rig.NewRepo(r.TB, repo)
}

// archive begins the deploy of an archive.
func (r *fixture) archive(app cluster.App) cluster.Operation {
	r.TB.Helper()
	build := cluster.NewID()
	sum, err := r.sources.Keep(r.TB.Context(), app, build, strings.NewReader("a tar"))
	testkit.Must(r.TB, err)
	return r.Begin(app, cluster.OpDeploy, cluster.Request{Build: build}, store.WithBuild(build, cluster.SourceArchive, sum))
}

// pushed begins the deploy of a commit, which is held for it.
func (r *fixture) pushed(repo rig.Repo, app cluster.App, commit string) cluster.Operation {
	r.TB.Helper()
	build := cluster.NewID()
	op := r.Begin(app, cluster.OpDeploy, cluster.Request{Build: build, Commit: commit}, store.WithBuild(build, cluster.SourceCommit, commit))
	testkit.Must(r.TB, repo.Hold(r.TB.Context(), commit, string(op.ID)))
	return op
}

func (r *fixture) buildOf(op cluster.Operation) cluster.ID {
	r.TB.Helper()
	req, err := op.Request()
	testkit.Must(r.TB, err)
	return req.Build
}
