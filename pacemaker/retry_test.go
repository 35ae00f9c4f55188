package pacemaker

import (
	"os"
	"slices"
	"strings"
	"testing"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// finish ends an operation as its keeper does.
func (r *rig) finish(op cluster.Operation, state jobs.State) cluster.Operation {
	r.tb.Helper()
	tree := &jobs.Tree{ID: string(op.ID), Operation: string(op.ID), State: state, Jobs: map[string]*jobs.Job{string(op.ID): rootJob(op, state)}}
	if state != jobs.Succeeded {
		tree.Jobs[tree.ID].Error = "its worker died 3 times while it ran (the last one: n1)"
		tree.Stop = &jobs.Stop{State: state, Reason: "it failed", Job: tree.ID}
	}
	must(r.tb, r.TreeEnded(r.tb.Context(), tree))
	r.trees.drop(tree.ID)
	op, err := r.store.Operation(r.tb.Context(), op.ID)
	must(r.tb, err)
	return op
}

// pushed records a deploy of a commit.
func (r *rig) pushed(app cluster.App, old, commit string) cluster.Operation {
	r.tb.Helper()
	op, err := r.tryPush(r.tb.Context(), Push{App: app, Ref: "refs/heads/main", Old: old, New: commit, User: "ann"}, false)
	must(r.tb, err)
	return op
}

func (r *rig) kept(op cluster.Operation) bool {
	r.tb.Helper()
	args, err := argsOf(op)
	must(r.tb, err)
	_, err = os.Stat(r.sourcePath(args.Build))
	return err == nil
}

func wantConflict(tb testing.TB, what string, err error, says string) {
	tb.Helper()
	if cluster.CodeOf(err) != cluster.CodeConflict || !strings.Contains(err.Error(), says) {
		tb.Errorf("%s: got %v, want a conflict with %q", what, err, says)
	}
}

func TestRetry_OfAnImage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.newApp("shop")
	asked, err := r.DeployImage(t.Context(), app, "img:1", "a new shop", "ann")
	must(t, err)
	_, early := r.Retry(t.Context(), asked, "bob")
	old := r.finish(asked, jobs.Failed)

	again, err := r.Retry(t.Context(), old, "bob")
	must(t, err)
	_, twice := r.Retry(t.Context(), old, "bob")

	was, args := mustArgs(t, old), mustArgs(t, again)
	build, err := r.store.Build(t.Context(), args.Build)
	must(t, err)
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

func mustArgs(tb testing.TB, op cluster.Operation) opArgs {
	tb.Helper()
	args, err := argsOf(op)
	must(tb, err)
	return args
}

func TestRetry_OfAnArchive(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.newApp("shop")
	first, err := r.DeployArchive(t.Context(), app, strings.NewReader("a tar"), "", "ann")
	must(t, err)
	first = r.finish(first, jobs.Aborted)
	second, err := r.Retry(t.Context(), first, "ann")
	must(t, err)
	second = r.finish(second, jobs.Failed)
	third, err := r.Retry(t.Context(), second, "ann")
	must(t, err)

	if !r.kept(first) || !r.kept(second) || !r.kept(third) {
		t.Error("an archive that may be asked for again is gone")
	}
	raw, err := os.ReadFile(r.sourcePath(mustArgs(t, third).Build))
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
	app, other := r.newApp("shop"), r.newApp("other")
	repo := r.repoOf(other)
	archive, err := r.DeployArchive(t.Context(), app, strings.NewReader("a tar"), "", "ann")
	must(t, err)
	archive = r.finish(archive, jobs.Failed)
	must(t, os.Remove(r.sourcePath(mustArgs(t, archive).Build)))
	commit := r.finish(r.pushed(other, "", repo.commit("one")), jobs.Failed)
	must(t, repo.Release(t.Context(), string(commit.ID)))
	repo.git("prune", "--expire=now")

	_, noArchive := r.Retry(t.Context(), archive, "ann")
	_, noCommit := r.Retry(t.Context(), commit, "ann")

	wantConflict(t, "an archive", noArchive, "deploy it again")
	wantConflict(t, "a commit", noCommit, "git push aorta main")
	if open, err := r.store.OpenOperations(t.Context()); err != nil || len(open) != 0 {
		t.Errorf("got %+v, %v, want nothing begun", open, err)
	}
}

func TestRetry_OfACommitHoldsItUntilItServes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.newApp("shop")
	repo := r.repoOf(app)
	one := repo.commit("one")
	first := r.finish(r.pushed(app, "", one), jobs.Failed)

	second, err := r.Retry(t.Context(), first, "bob")
	must(t, err)

	if !repo.held(first) || !repo.held(second) {
		t.Errorf("got the commit held: %v by the first, %v by the retry; want both", repo.held(first), repo.held(second))
	}
	if args := mustArgs(t, second); args.Ref != "refs/heads/main" || args.Commit != one || args.Build != cluster.DeriveID(second.ID, "build", 0) {
		t.Errorf("got %+v, want the commit for its ref, in a build of its own", args)
	}
	moved := r.lastStep(second)
	r.finish(second, jobs.Succeeded)
	if at, _ := repo.Ref(t.Context(), "refs/heads/main"); at != one || moved != nil {
		t.Errorf("got the ref at %q, %v; want it at %s", at, moved, one)
	}
	if repo.held(first) || repo.held(second) {
		t.Error("a hold is left although the ref has the commit")
	}
}

// lastStep moves the ref as the root of a deploy does.
func (r *rig) lastStep(op cluster.Operation) error {
	r.tb.Helper()
	args := mustArgs(r.tb, op)
	from, err := r.movesFrom(r.tb.Context(), op.AppID, args)
	if err != nil {
		return err
	}
	return r.repo(op.AppID).MoveRef(r.tb.Context(), args.Ref, from, args.Commit)
}

func TestRetry_OfACommitWhoseRefMoved(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.newApp("shop")
	repo := r.repoOf(app)
	one := repo.commit("one")
	two := repo.commit("two", one)
	three := repo.commit("three", two)
	aside := repo.commit("aside", one)
	must(t, repo.MoveRef(t.Context(), "refs/heads/main", "", one))
	onTop := r.finish(r.pushed(app, one, three), jobs.Failed)
	beside := r.finish(r.pushed(app, one, aside), jobs.Failed)
	must(t, repo.MoveRef(t.Context(), "refs/heads/main", one, two))

	_, refused := r.Retry(t.Context(), beside, "ann")
	again, err := r.Retry(t.Context(), onTop, "ann")
	must(t, err)
	behind := r.lastStep(again)

	wantConflict(t, "one that leaves out a commit", refused, "main moved meanwhile: pull and push again")
	if at, _ := repo.Ref(t.Context(), "refs/heads/main"); at != three || behind != nil {
		t.Errorf("got the ref at %q, %v, want it at %s", at, behind, three)
	}
	if held, err := repo.Held(); err != nil || len(held) != 3 {
		t.Errorf("got holds %v, %v, want those of two deploys and a retry", held, err)
	}
}

// A retry that waited behind another deploy finds out before anything is
// rolled out.
func TestRetry_RefusedAtItsTurnWhenTheRefMovedMeanwhile(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.newApp("shop")
	repo := r.repoOf(app)
	one := repo.commit("one")
	aside := repo.commit("aside", one)
	first := r.finish(r.pushed(app, "", one), jobs.Failed)
	again, err := r.Retry(t.Context(), first, "ann")
	must(t, err)
	must(t, repo.MoveRef(t.Context(), "refs/heads/main", "", aside))
	must(t, r.store.EndBuild(t.Context(), mustArgs(t, again).Build, cluster.BuildResult{State: cluster.BuildReady}))

	_, err = r.movesFrom(t.Context(), app.ID, mustArgs(t, again))

	wantConflict(t, "its turn", err, "main moved meanwhile")
}

func TestRetry_OfOtherKinds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.newApp("shop")
	release := r.deploy(app, cluster.ProcessType{Name: "web"})
	n := r.newNode("n1", cluster.RoleHeart)
	in := r.instance(release, "web", n)
	begin := map[cluster.OperationKind]func() (cluster.Operation, error){
		cluster.OpRelease: func() (cluster.Operation, error) {
			return r.ChangeConfig(t.Context(), app, map[string]string{"A": "1"}, nil, "ann")
		},
		cluster.OpScale: func() (cluster.Operation, error) {
			two := 2
			return r.ChangeFormation(t.Context(), app, map[string]ProcessChange{"web": {Quantity: &two, Limits: cluster.Limits{Memory: 64 << 20}}}, "ann")
		},
		cluster.OpRestart: func() (cluster.Operation, error) { return r.Restart(t.Context(), app, "", "ann") },
		cluster.OpStop:    func() (cluster.Operation, error) { return r.StopApp(t.Context(), app, "ann") },
		cluster.OpPrune: func() (cluster.Operation, error) {
			return r.begin(t.Context(), cluster.Operation{Kind: cluster.OpPrune, NodeID: n.ID, Title: "Remove old images", Args: opArgs{}.encode()})
		},
		cluster.OpDestroy: func() (cluster.Operation, error) { return r.DestroyApp(t.Context(), app, "shop", "ann") },
	}
	for _, kind := range []cluster.OperationKind{cluster.OpRelease, cluster.OpScale, cluster.OpRestart, cluster.OpStop, cluster.OpPrune, cluster.OpDestroy} {
		old, err := begin[kind]()
		must(t, err)
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
	app := r.newApp("shop")
	release := r.deploy(app, cluster.ProcessType{Name: "web"})
	n := r.newNode("n1", cluster.RoleHeart)
	in := r.instance(release, "web", n)
	old, err := r.Restart(t.Context(), app, "", "ann")
	must(t, err)
	old = r.finish(old, jobs.Failed)
	r.lose(n, in)

	_, err = r.Retry(t.Context(), old, "ann")

	wantConflict(t, "a restart", err, "aorta ps restart")
}

func TestRetry_PassesOverWhatThePlatformRepeats(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.newApp("shop")
	for _, kind := range []cluster.OperationKind{cluster.OpRetire, cluster.OpReplace} {
		op, err := r.begin(t.Context(), cluster.Operation{Kind: kind, AppID: app.ID, Title: "Do it", Args: opArgs{}.encode()})
		must(t, err)
		op = r.finish(op, jobs.Failed)

		_, err = r.Retry(t.Context(), op, "ann")

		wantConflict(t, string(kind), err, "the platform repeats it by itself")
	}
}
