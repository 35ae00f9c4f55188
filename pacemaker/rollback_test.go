package pacemaker

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

const mainRef = "refs/heads/main"

// transcript is what a step says.
type transcript struct{ lines []string }

func (t *transcript) Log(line string)                 { t.lines = append(t.lines, line) }
func (t *transcript) Progress(jobs.Progress)          {}
func (t *transcript) Graft(string, []jobs.Spec) error { return nil }

// step runs one of the pacemaker's own steps of an operation, and gives what it says.
func (r *rig) step(kind string, op cluster.Operation) string {
	r.TB.Helper()
	raw, err := json.Marshal(cluster.OperationArgs{Operation: op.ID})
	testkit.Must(r.TB, err)
	said := &transcript{}
	_, err = r.Handlers()[kind](r.TB.Context(), jobs.NewRun(jobs.Job{ID: string(op.ID), Tree: string(op.ID), Kind: kind, Args: raw}, 1, said))
	testkit.Must(r.TB, err)
	return strings.Join(said.lines, "\n")
}

// released brings a deploy or a rollback to its release.
func (r *rig) released(op cluster.Operation) cluster.Release {
	r.TB.Helper()
	ctx, id := r.TB.Context(), mustArgs(r.TB, op).Build
	build, err := r.store.Build(ctx, id)
	testkit.Must(r.TB, err)
	if build.State != cluster.BuildReady {
		testkit.Must(r.TB, r.store.EndBuild(ctx, id, cluster.BuildResult{State: cluster.BuildReady, Image: cluster.Image{ID: "sha256:1"}, Processes: []cluster.ProcessType{{Name: "web"}}}))
	}
	r.step(cluster.JobRelease, op)
	release, err := r.store.ReleaseByOperation(ctx, op.ID)
	testkit.Must(r.TB, err)
	return release
}

// serves brings a deploy or a rollback to a release that has the traffic, and
// ends it. It gives what the last step says.
func (r *rig) serves(op cluster.Operation) string {
	r.TB.Helper()
	testkit.Must(r.TB, r.store.Promote(r.TB.Context(), store.Promotion{App: op.AppID, Release: r.released(op).ID}))
	said := r.step(cluster.JobDeploy, op)
	r.finish(op, jobs.Succeeded)
	return said
}

func TestRollback_MovesTheBranchSoThatAPushDeploysAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	repo := r.repoOf(app)
	one := repo.Commit("one")
	two := repo.Commit("two", one)
	r.serves(r.pushed(app, "", one))
	r.serves(r.pushed(app, one, two))

	back, err := r.Rollback(t.Context(), app, Rollback{Number: 1}, "ann")
	testkit.Must(t, err)
	testkit.Must(t, r.store.Promote(t.Context(), store.Promotion{App: app.ID, Release: r.released(back).ID}))
	said := r.step(cluster.JobDeploy, back)
	again := r.step(cluster.JobDeploy, back)
	r.finish(back, jobs.Succeeded)

	if at, err := repo.Ref(t.Context(), mainRef); at != one || err != nil || !strings.Contains(said, "main is back at "+one[:10]) || !strings.Contains(said, two[:10]) {
		t.Errorf("got main at %s, %v and %q; want it at %s, and a word on %s", at, err, said, one, two)
	}
	if again != "" {
		t.Errorf("a second time: got %q, want that nothing is left to do", again)
	}
	repo.Git("gc", "--quiet", "--prune=now")
	if there, err := repo.IsCommit(t.Context(), two); !there || err != nil {
		t.Errorf("got the newer commit kept: %t, %v", there, err)
	}
	newer := r.pushed(app, one, two)
	if newer.ID == "" {
		t.Fatal("a push of the newer commit begins no deploy")
	}
	r.serves(newer)
	if at, _ := repo.Ref(t.Context(), mainRef); at != two {
		t.Errorf("got main at %s after the push, want %s", at, two)
	}
}

// A pusher who saw the branch before the rollback deploys what comes after.
func TestRollback_APushFromBeforeItGoesForward(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	repo := r.repoOf(app)
	one := repo.Commit("one")
	two := repo.Commit("two", one)
	three := repo.Commit("three", two)
	r.serves(r.pushed(app, "", one))
	r.serves(r.pushed(app, one, two))
	back, err := r.Rollback(t.Context(), app, Rollback{}, "ann")
	testkit.Must(t, err)
	r.serves(back)

	r.serves(r.pushed(app, two, three))

	if at, _ := repo.Ref(t.Context(), mainRef); at != three {
		t.Errorf("got main at %s, want %s", at, three)
	}
}

func TestRollback_BranchThatStays(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	image, err := r.DeployImage(t.Context(), app, "img:1", "", "ann")
	testkit.Must(t, err)
	r.serves(image)
	again, err := r.DeployImage(t.Context(), app, "img:2", "", "ann")
	testkit.Must(t, err)
	r.serves(again)
	noRepo, err := r.Rollback(t.Context(), app, Rollback{Number: 1}, "ann")
	testkit.Must(t, err)
	if said := r.serves(noRepo); said != "" {
		t.Errorf("without a repository: got %q, want nothing said", said)
	}
	repo := r.repoOf(app)
	one := repo.Commit("one")
	r.serves(r.pushed(app, "", one))

	toImage, err := r.Rollback(t.Context(), app, Rollback{Number: 1}, "ann")
	testkit.Must(t, err)
	said := r.serves(toImage)

	if at, _ := repo.Ref(t.Context(), mainRef); at != one || !strings.Contains(said, "main stays at "+one[:10]) {
		t.Errorf("got main at %s and %q; want it where it was, and a word on it", at, said)
	}
}

// With two branches it is the one that served.
func TestRollback_OfTwoBranchesMovesTheOneThatServed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	repo := r.repoOf(app)
	one := repo.Commit("one")
	two := repo.Commit("two", one)
	testkit.Must(t, repo.MoveRef(t.Context(), "refs/heads/master", "", one))
	r.serves(r.pushed(app, "", one))
	r.serves(r.pushed(app, one, two))
	back, err := r.Rollback(t.Context(), app, Rollback{Number: 1}, "ann")
	testkit.Must(t, err)

	r.serves(back)

	if at, _ := repo.Ref(t.Context(), mainRef); at != one {
		t.Errorf("got main at %s, want %s", at, one)
	}
}

// What a release was made of is kept for another build of its image, also when
// the branch is forced elsewhere.
func TestSources_StayAsLongAsAReleaseMayBeRolledBackTo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop, blog := r.App("shop"), r.App("blog")
	repo := r.repoOf(shop)
	one, other := repo.Commit("one"), repo.Commit("another beginning")
	r.serves(r.pushed(shop, "", one))
	r.serves(r.pushed(shop, one, other))
	var deploys []cluster.Operation
	for range cluster.KeptReleases + 2 {
		op, err := r.DeployArchive(t.Context(), blog, strings.NewReader("a tar"), Note{User: "ann"})
		testkit.Must(t, err)
		r.serves(op)
		deploys = append(deploys, op)
	}
	r.Clock.Forward(10 * 365 * 24 * time.Hour) // from when tests begin to beyond the ids of today

	testkit.Must(t, r.Sources.Tidy(t.Context()))
	repo.Git("gc", "--quiet", "--prune=now")

	if there, err := repo.IsCommit(t.Context(), one); !there || err != nil {
		t.Errorf("got the commit of v1 kept: %t, %v, after main was forced to another one", there, err)
	}
	for i, op := range deploys {
		if want := i >= 2; r.kept(op) != want {
			t.Errorf("got the archive of v%d kept: %t, want %t", i+1, r.kept(op), want)
		}
	}
	if _, err := r.Rollback(t.Context(), blog, Rollback{Number: 3}, "ann"); err != nil {
		t.Errorf("back to v3, whose archive is kept: %v", err)
	}
	_, err := r.Rollback(t.Context(), blog, Rollback{Number: 1}, "ann")
	wantConflict(t, "back to v1", err, "an app's 10 newest releases keep their images and archives")
	destroy, err := r.DestroyApp(t.Context(), blog, "blog", "ann")
	testkit.Must(t, err)
	r.step(cluster.JobDestroy, destroy)
	if r.kept(deploys[len(deploys)-1]) {
		t.Error("the archive of a destroyed app is kept")
	}
}
