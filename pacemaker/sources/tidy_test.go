package sources

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

func TestTidy_RemovesWhatNothingKeeps(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop, other := r.App("shop"), r.App("other")
	repo := r.repoOf(other)
	failed := r.archive(shop)
	r.Fail(failed.ID, "no image")
	one := repo.Commit("one")
	held := r.pushed(repo, other, one)
	r.Fail(held.ID, "no image")
	open := r.pushed(repo, other, repo.Commit("two"))
	leakedFile, leakedHold := cluster.NewID(), cluster.NewID()
	testkit.Must(t, os.WriteFile(r.sources.ArchivePath(leakedFile), []byte("half an upload"), 0o600))
	testkit.Must(t, os.WriteFile(filepath.Join(r.dir(), "README"), nil, 0o600))
	testkit.Must(t, repo.Hold(t.Context(), one, string(leakedHold)))
	repo.Git("pack-refs", "--all")
	testkit.Must(t, repo.Hold(t.Context(), one, string(cluster.DeriveID(leakedHold, "loose", 0))))

	testkit.Must(t, r.sources.Tidy(t.Context()))
	fresh, _ := repo.Held()
	_, freshFile := os.Stat(r.sources.ArchivePath(leakedFile))
	r.Clock.Forward(10 * 365 * 24 * time.Hour)
	testkit.Must(t, r.sources.Tidy(t.Context()))

	if len(fresh) != 4 || freshFile != nil {
		t.Errorf("got holds %v and %v, want what may be on its way left alone", fresh, freshFile)
	}
	if left := r.left(); !slices.Equal(left, []string{string(r.buildOf(failed)) + ".tar", "README"}) {
		t.Errorf("got %v left, want the archive of the failed deploy, and what is no archive", left)
	}
	if left, err := repo.Held(); err != nil || len(left) != 2 || !repo.Holds(held) || !repo.Holds(open) {
		t.Errorf("got holds %v, %v, want those of the failed and of the open deploy", left, err)
	}
	testkit.Must(t, r.Store.DeleteArchive(t.Context(), r.Clock.Now().UnixNano()))
	testkit.Must(t, r.sources.Tidy(t.Context()))
	if left := r.left(); !slices.Equal(left, []string{"README"}) || repo.Holds(held) || !repo.Holds(open) {
		t.Errorf("got %v left, the forgotten one held: %v; want neither, and the open one still", left, repo.Holds(held))
	}
}

// left names the files in the directory of archives.
func (r *fixture) left() []string {
	r.TB.Helper()
	files, err := os.ReadDir(r.dir())
	testkit.Must(r.TB, err)
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	return names
}

func TestTidy_OfADestroyedApp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop := r.App("shop")
	failed := r.archive(shop)
	r.Fail(failed.ID, "no image")
	testkit.Must(t, r.Store.DeleteApp(t.Context(), shop.ID))
	r.Clock.Forward(10 * 365 * 24 * time.Hour)

	testkit.Must(t, r.sources.Tidy(t.Context()))

	if left := r.left(); len(left) != 0 {
		t.Errorf("got %v left, want nothing of an app that is gone", left)
	}
}
