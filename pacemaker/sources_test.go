package pacemaker

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aorta/internal/gitrepo"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// sourced is an app's repository, in which the test commits.
type sourced struct {
	gitrepo.Repo
	r *rig
}

func (r *rig) repoOf(app cluster.App) sourced {
	r.tb.Helper()
	repo, err := r.Repo(r.tb.Context(), app)
	must(r.tb, err)
	return sourced{repo, r}
}

// commit makes one of no files on top of another, or on nothing.
func (s sourced) commit(message string, parents ...string) string {
	s.r.tb.Helper()
	tree := s.git("hash-object", "-w", "-t", "tree", os.DevNull)
	args := []string{"commit-tree", "-m", message, tree}
	for _, p := range parents {
		args = append(args, "-p", p)
	}
	return s.git(args...)
}

func (s sourced) git(args ...string) string {
	s.r.tb.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = s.Dir
	cmd.Env = append(os.Environ(), "GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@test.local", "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@test.local")
	out, err := cmd.Output()
	if err != nil {
		s.r.tb.Fatalf("git %v: %v", args, err)
	}
	return strings.TrimSpace(string(out))
}

// held says whether an operation holds a commit.
func (s sourced) held(op cluster.Operation) bool {
	s.r.tb.Helper()
	ids, err := s.Held()
	must(s.r.tb, err)
	return slices.Contains(ids, string(op.ID))
}

func TestDiscard_LetsGoOfWhatWasKept(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop, other := r.newApp("shop"), r.newApp("other")
	repo := r.repoOf(other)
	archive, err := r.DeployArchive(t.Context(), shop, strings.NewReader("a tar"), "", "ann")
	must(t, err)
	_, early := r.Discard(t.Context(), archive, "ann")
	archive = r.finish(archive, jobs.Failed)
	commit := r.finish(r.pushed(other, "", repo.commit("one")), jobs.Aborted)

	for _, op := range []cluster.Operation{archive, commit, archive} {
		got, err := r.Discard(t.Context(), op, "bob")
		if err != nil || got.DiscardedBy != "bob" {
			t.Errorf("got %+v, %v, want it discarded by bob", got, err)
		}
	}

	wantConflict(t, "an open one", early, "aorta jobs follow")
	if r.kept(archive) || repo.held(commit) {
		t.Errorf("got the archive kept: %v, the commit held: %v, want neither", r.kept(archive), repo.held(commit))
	}
	_, err = r.Retry(t.Context(), archive, "ann")
	wantConflict(t, "a retry", err, "discarded by bob")
}

func TestTidySources_RemovesWhatNothingKeeps(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop, other := r.newApp("shop"), r.newApp("other")
	repo := r.repoOf(other)
	failed, err := r.DeployArchive(t.Context(), shop, strings.NewReader("a tar"), "", "ann")
	must(t, err)
	failed = r.finish(failed, jobs.Failed)
	one := repo.commit("one")
	held := r.finish(r.pushed(other, "", one), jobs.Failed)
	open := r.pushed(other, "", repo.commit("two"))
	leakedFile, leakedHold := cluster.NewID(), cluster.NewID()
	must(t, os.WriteFile(r.sourcePath(leakedFile), []byte("half an upload"), 0o600))
	must(t, os.WriteFile(filepath.Join(r.cfg.SourcesDir, "README"), nil, 0o600))
	must(t, repo.Hold(t.Context(), one, string(leakedHold)))
	repo.git("pack-refs", "--all")
	must(t, repo.Hold(t.Context(), one, string(cluster.DeriveID(leakedHold, "loose", 0))))

	must(t, r.tidySources(t.Context()))
	fresh, _ := repo.Held()
	_, freshFile := os.Stat(r.sourcePath(leakedFile))
	r.clock.forward(10 * 365 * 24 * time.Hour)
	must(t, r.tidySources(t.Context()))

	if len(fresh) != 4 || freshFile != nil {
		t.Errorf("got holds %v and %v, want what may be on its way left alone", fresh, freshFile)
	}
	if left := r.left(); !slices.Equal(left, []string{string(mustArgs(t, failed).Build) + ".tar", "README"}) {
		t.Errorf("got %v left, want the archive of the failed deploy, and what is no archive", left)
	}
	if left, err := repo.Held(); err != nil || len(left) != 2 || !repo.held(held) || !repo.held(open) {
		t.Errorf("got holds %v, %v, want those of the failed and of the open deploy", left, err)
	}
	must(t, r.store.ForgetArchive(t.Context(), r.cfg.Now().UnixNano()))
	must(t, r.tidySources(t.Context()))
	if left := r.left(); !slices.Equal(left, []string{"README"}) || repo.held(held) || !repo.held(open) {
		t.Errorf("got %v left, the forgotten one held: %v; want neither, and the open one still", left, repo.held(held))
	}
}

// left names the files in the directory of archives.
func (r *rig) left() []string {
	r.tb.Helper()
	files, err := os.ReadDir(r.cfg.SourcesDir)
	must(r.tb, err)
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	return names
}

func TestTidySources_OfADestroyedApp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop := r.newApp("shop")
	failed, err := r.DeployArchive(t.Context(), shop, strings.NewReader("a tar"), "", "ann")
	must(t, err)
	r.finish(failed, jobs.Failed)
	must(t, r.store.DeleteApp(t.Context(), shop.ID))
	r.clock.forward(10 * 365 * 24 * time.Hour)

	must(t, r.tidySources(t.Context()))

	if left := r.left(); len(left) != 0 {
		t.Errorf("got %v left, want nothing of an app that is gone", left)
	}
}
