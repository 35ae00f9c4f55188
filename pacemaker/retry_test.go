package pacemaker

import (
	"os"
	"slices"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/following"
)

// finish ends an operation as its keeper does.
func (r *rig) finish(op cluster.Operation, state jobs.State) cluster.Operation {
	r.TB.Helper()
	tree := &jobs.Tree{ID: string(op.ID), Operation: string(op.ID), State: state, Jobs: map[string]*jobs.Job{string(op.ID): following.RootJob(op, state)}}
	if state != jobs.Succeeded {
		tree.Jobs[tree.ID].Error = "its worker died 3 times while it ran (the last one: n1)"
		tree.Stop = &jobs.Stop{State: state, Reason: "it failed", Job: tree.ID}
	}
	testkit.Must(r.TB, r.TreeEnded(r.TB.Context(), tree))
	r.Jobs.Drop(tree.ID)
	op, err := r.store.Operation(r.TB.Context(), op.ID)
	testkit.Must(r.TB, err)
	return op
}

// pushed records a deploy of a commit.
func (r *rig) pushed(app cluster.App, old, commit string) cluster.Operation {
	r.TB.Helper()
	op, err := r.tryPush(r.TB.Context(), Push{App: app, Ref: "refs/heads/main", Old: old, New: commit, User: "ann"}, false)
	testkit.Must(r.TB, err)
	return op
}

func (r *rig) kept(op cluster.Operation) bool {
	r.TB.Helper()
	args, err := op.Request()
	testkit.Must(r.TB, err)
	_, err = os.Stat(r.Sources.ArchivePath(args.Build))
	return err == nil
}

func wantConflict(tb testing.TB, what string, err error, says string) {
	tb.Helper()
	wantCode(tb, what, err, cluster.CodeConflict, says)
}

func wantNotFound(tb testing.TB, what string, err error, says string) {
	tb.Helper()
	wantCode(tb, what, err, cluster.CodeNotFound, says)
}

func wantCode(tb testing.TB, what string, err error, code cluster.Code, says string) {
	tb.Helper()
	if cluster.CodeOf(err) != code || !strings.Contains(err.Error(), says) {
		tb.Errorf("%s: got %v, want %v with %q", what, err, code, says)
	}
}

func TestRetry_OfAnImage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	asked, err := r.DeployImage(t.Context(), app, "img:1", "a new shop", "ann")
	testkit.Must(t, err)
	_, early := r.Retry(t.Context(), asked, "bob")
	old := r.finish(asked, jobs.Failed)

	again, err := r.Retry(t.Context(), old, "bob")
	testkit.Must(t, err)
	_, twice := r.Retry(t.Context(), old, "bob")

	was, args := mustArgs(t, old), mustArgs(t, again)
	build, err := r.store.Build(t.Context(), args.Build)
	testkit.Must(t, err)
	if again.ID == old.ID || again.User != "bob" || again.Title != old.Title || args.Retries != old.ID || args.Message != was.Message {
		t.Errorf("got %+v, want another operation of bob that repeats %s", again, old.ID)
	}
	if build.ID == was.Build || build.Source != "img:1" || build.State != cluster.BuildPending {
		t.Errorf("got build %+v, want another one of the same image", build)
	}
	wantConflict(t, "while it was open", early, "aorta jobs abort "+asked.ID.Short())
	wantConflict(t, "a second time", twice, again.ID.Short())
	if got := r.round(); !slices.Equal(got, []string{string(again.ID)}) {
		t.Errorf("got trees %v, want that of the retry", got)
	}
}

func mustArgs(tb testing.TB, op cluster.Operation) cluster.Request {
	tb.Helper()
	args, err := op.Request()
	testkit.Must(tb, err)
	return args
}

func TestRetry_OfAnArchive(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	first, err := r.DeployArchive(t.Context(), app, strings.NewReader("a tar"), Note{User: "ann"})
	testkit.Must(t, err)
	first = r.finish(first, jobs.Aborted)
	second, err := r.Retry(t.Context(), first, "ann")
	testkit.Must(t, err)
	second = r.finish(second, jobs.Failed)
	_, gone := r.Retry(t.Context(), first, "ann")
	third, err := r.Retry(t.Context(), second, "ann")
	testkit.Must(t, err)

	if r.kept(first) || !r.kept(second) || !r.kept(third) {
		t.Error("want the archives of the last that failed and of its retry, and those only")
	}
	wantConflict(t, "one before the last", gone, "only that of an app's last deploy is: deploy its files again (aorta deploy)")
	raw, err := os.ReadFile(r.Sources.ArchivePath(mustArgs(t, third).Build))
	if string(raw) != "a tar" {
		t.Errorf("got %q, %v, want the archive", raw, err)
	}
	r.finish(third, jobs.Succeeded)
	if files, err := os.ReadDir(r.cfg.SourcesDir); err != nil || len(files) != 0 {
		t.Errorf("got %v, %v after one succeeded, want no archive kept", files, err)
	}
}

func TestRetry_WithoutItsSource(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app, other := r.App("shop"), r.App("other")
	repo := r.repoOf(other)
	archive, err := r.DeployArchive(t.Context(), app, strings.NewReader("a tar"), Note{User: "ann"})
	testkit.Must(t, err)
	archive = r.finish(archive, jobs.Failed)
	testkit.Must(t, os.Remove(r.Sources.ArchivePath(mustArgs(t, archive).Build)))
	commit := r.finish(r.pushed(other, "", repo.Commit("one")), jobs.Failed)
	testkit.Must(t, repo.Release(t.Context(), string(commit.ID)))
	repo.Git("prune", "--expire=now")

	_, noArchive := r.Retry(t.Context(), archive, "ann")
	_, noCommit := r.Retry(t.Context(), commit, "ann")

	wantConflict(t, "an archive", noArchive, "deploy its files again")
	wantConflict(t, "a commit", noCommit, "git push aorta main")
	if open, err := r.store.OpenOperations(t.Context()); err != nil || len(open) != 0 {
		t.Errorf("got %+v, %v, want nothing begun", open, err)
	}
}

func TestRetry_OfACommitHoldsItUntilItServes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	repo := r.repoOf(app)
	one := repo.Commit("one")
	first := r.finish(r.pushed(app, "", one), jobs.Failed)

	second, err := r.Retry(t.Context(), first, "bob")
	testkit.Must(t, err)

	if !repo.Holds(first) || !repo.Holds(second) {
		t.Errorf("got the commit held: %v by the first, %v by the retry; want both", repo.Holds(first), repo.Holds(second))
	}
	if args := mustArgs(t, second); args.Ref != "refs/heads/main" || args.Commit != one || args.Build != cluster.DeriveID(second.ID, "build", 0) {
		t.Errorf("got %+v, want the commit for its ref, in a build of its own", args)
	}
	moved := r.lastStep(second)
	r.finish(second, jobs.Succeeded)
	if at, _ := repo.Ref(t.Context(), "refs/heads/main"); at != one || moved != nil {
		t.Errorf("got the ref at %q, %v; want it at %s", at, moved, one)
	}
	if repo.Holds(first) || repo.Holds(second) {
		t.Error("a hold is left although the ref has the commit")
	}
}

// lastStep moves the ref as the root of a deploy does.
func (r *rig) lastStep(op cluster.Operation) error {
	r.TB.Helper()
	args := mustArgs(r.TB, op)
	from, err := r.Sources.MovesFrom(r.TB.Context(), op.AppID, args)
	if err != nil {
		return err
	}
	return r.Sources.Repo(op.AppID).MoveRef(r.TB.Context(), args.Ref, from, args.Commit)
}

func TestRetry_OfACommitWhoseRefMoved(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	repo := r.repoOf(app)
	one := repo.Commit("one")
	two := repo.Commit("two", one)
	three := repo.Commit("three", two)
	aside := repo.Commit("aside", one)
	testkit.Must(t, repo.MoveRef(t.Context(), "refs/heads/main", "", one))
	onTop := r.finish(r.pushed(app, one, three), jobs.Failed)
	beside := r.finish(r.pushed(app, one, aside), jobs.Failed)
	testkit.Must(t, repo.MoveRef(t.Context(), "refs/heads/main", one, two))

	_, refused := r.Retry(t.Context(), beside, "ann")
	again, err := r.Retry(t.Context(), onTop, "ann")
	testkit.Must(t, err)
	behind := r.lastStep(again)

	wantConflict(t, "one that leaves out a commit", refused, "main moved meanwhile: pull and push again")
	if at, _ := repo.Ref(t.Context(), "refs/heads/main"); at != three || behind != nil {
		t.Errorf("got the ref at %q, %v, want it at %s", at, behind, three)
	}
	if held, err := repo.Held(); err != nil || len(held) != 2 {
		t.Errorf("got holds %v, %v, want those of the last deploy that failed and of a retry", held, err)
	}
}

// A retry that waited behind another deploy finds out before anything is
// rolled out.
func TestRetry_RefusedAtItsTurnWhenTheRefMovedMeanwhile(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	repo := r.repoOf(app)
	one := repo.Commit("one")
	aside := repo.Commit("aside", one)
	first := r.finish(r.pushed(app, "", one), jobs.Failed)
	again, err := r.Retry(t.Context(), first, "ann")
	testkit.Must(t, err)
	testkit.Must(t, repo.MoveRef(t.Context(), "refs/heads/main", "", aside))
	testkit.Must(t, r.store.EndBuild(t.Context(), mustArgs(t, again).Build, cluster.BuildResult{State: cluster.BuildReady}))

	_, err = r.Sources.MovesFrom(t.Context(), app.ID, mustArgs(t, again))

	wantConflict(t, "its turn", err, "main moved meanwhile")
}

func TestRetry_OfOtherKinds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	release := r.Deploy(app, cluster.ProcessType{Name: "web"})
	n := r.newNode("n1", cluster.RoleHeart)
	in := r.Instance(release, "web", n)
	begin := map[cluster.OperationKind]func() (cluster.Operation, error){
		cluster.OpRelease: func() (cluster.Operation, error) {
			op, _, err := r.ChangeConfig(t.Context(), app, map[string]string{"A": "1"}, nil, "ann")
			return op, err
		},
		cluster.OpScale: func() (cluster.Operation, error) {
			two := 2
			return r.ChangeFormation(t.Context(), app, map[string]ProcessChange{"web": {Quantity: &two, Limits: cluster.Limits{Memory: 64 << 20}}}, "ann")
		},
		cluster.OpRestart: func() (cluster.Operation, error) { return r.Restart(t.Context(), app, "", "ann") },
		cluster.OpStop:    func() (cluster.Operation, error) { return r.StopApp(t.Context(), app, "ann") },
		cluster.OpPrune: func() (cluster.Operation, error) {
			return r.begin(t.Context(), cluster.Operation{Kind: cluster.OpPrune, NodeID: n.ID, Title: "Remove old images", Args: cluster.Request{}.Encode()})
		},
		cluster.OpDestroy: func() (cluster.Operation, error) { return r.DestroyApp(t.Context(), app, "shop", "ann") },
	}
	for _, kind := range []cluster.OperationKind{cluster.OpRelease, cluster.OpScale, cluster.OpRestart, cluster.OpStop, cluster.OpPrune, cluster.OpDestroy} {
		old, err := begin[kind]()
		testkit.Must(t, err)
		old = r.finish(old, jobs.Failed)

		again, err := r.Retry(t.Context(), old, "bob")

		if err != nil || again.Kind != kind || again.User != "bob" || again.AppID != old.AppID || again.NodeID != old.NodeID {
			t.Errorf("%s: got %+v, %v, want it once more, by bob", kind, again, err)
			continue
		}
		was, args := mustArgs(t, old), mustArgs(t, again)
		if !slices.Equal(args.Replace, was.Replace) || args.Build != was.Build || args.Retries != old.ID {
			t.Errorf("%s: got the arguments %+v, want those of %+v", kind, args, was)
		}
		if kind == cluster.OpRestart && !slices.Equal(args.Replace, []cluster.ID{in}) {
			t.Errorf("got %v to restart, want %s", args.Replace, in)
		}
		gone, err := r.store.AppByID(t.Context(), app.ID)
		if err != nil || gone.Destroying != (kind == cluster.OpDestroy) {
			t.Errorf("%s: got the app destroyed: %v, %v", kind, gone.Destroying, err)
		}
		r.finish(again, jobs.Failed)
	}
}

func TestRetry_OfARestartWhoseInstancesAreGone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	release := r.Deploy(app, cluster.ProcessType{Name: "web"})
	n := r.newNode("n1", cluster.RoleHeart)
	in := r.Instance(release, "web", n)
	old, err := r.Restart(t.Context(), app, "", "ann")
	testkit.Must(t, err)
	old = r.finish(old, jobs.Failed)
	r.Lose(n, in)

	_, err = r.Retry(t.Context(), old, "ann")

	wantConflict(t, "a restart", err, "aorta ps restart")
}

func TestRetry_PassesOverWhatThePlatformRepeats(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	for _, kind := range []cluster.OperationKind{cluster.OpRetire, cluster.OpReplace} {
		op, err := r.begin(t.Context(), cluster.Operation{Kind: kind, AppID: app.ID, Title: "Do it", Args: cluster.Request{}.Encode()})
		testkit.Must(t, err)
		op = r.finish(op, jobs.Failed)

		_, err = r.Retry(t.Context(), op, "ann")

		wantConflict(t, string(kind), err, "started by Aorta, which repeats it by itself")
	}
}

func TestDiscard_LetsGoOfWhatWasKept(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop, other := r.App("shop"), r.App("other")
	repo := r.repoOf(other)
	archive, err := r.DeployArchive(t.Context(), shop, strings.NewReader("a tar"), Note{User: "ann"})
	testkit.Must(t, err)
	_, early := r.Discard(t.Context(), archive, "ann")
	archive = r.finish(archive, jobs.Failed)
	commit := r.finish(r.pushed(other, "", repo.Commit("one")), jobs.Aborted)

	for _, op := range []cluster.Operation{archive, commit, archive} {
		got, err := r.Discard(t.Context(), op, "bob")
		if err != nil || got.DiscardedBy != "bob" {
			t.Errorf("got %+v, %v, want it discarded by bob", got, err)
		}
	}

	wantConflict(t, "an open one", early, "aorta jobs follow")
	if r.kept(archive) || repo.Holds(commit) {
		t.Errorf("got the archive kept: %v, the commit held: %v, want neither", r.kept(archive), repo.Holds(commit))
	}
	_, err = r.Retry(t.Context(), archive, "ann")
	wantConflict(t, "a retry", err, "discarded by bob")
}
