package pacemaker

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

func TestPackRepositories_PacksTheRepositoryOfEachApp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop := r.App("shop")
	broken := r.App("broken")
	testkit.Must(t, os.MkdirAll(filepath.Join(r.Sources.Repo(broken.ID).Dir, "packed-refs"), 0o700)) // a folder where git has a file
	repo := r.repoOf(shop)
	for i := range 12 {
		repo.Git("update-ref", "refs/heads/main", repo.Commit(fmt.Sprint("version ", i)))
		repo.Git("repack", "-d", "-q")
	}
	packs := func() int {
		files, err := filepath.Glob(filepath.Join(repo.Dir, "objects", "pack", "*.pack"))
		testkit.Must(t, err)
		return len(files)
	}
	before := packs()

	_, err := r.packRepositories(t.Context(), nil)

	if after := packs(); before != 12 || after != 2 {
		t.Errorf("got %d packs after %d, want 2 after 12: of what main reaches, and of the rest", after, before)
	}
	if err == nil {
		t.Error("got no error for the broken repository, want one that stops none of the others")
	}
}

// keeps has something of some apps.
type keeps map[cluster.ID]bool

func (k keeps) Forget(_ context.Context, app cluster.ID) error { delete(k, app); return nil }

func (k keeps) Kept() ([]cluster.ID, error) { return slices.Collect(maps.Keys(k)), nil }

func TestTidy_ForgetsWhatIsKeptOfAppsThatAreGone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop := r.App("shop")
	data := keeps{shop.ID: true, cluster.NewID(): true}
	r.forget = append(r.forget, data)

	testkit.Must(t, r.forgetStrangers(t.Context()))

	if len(data) != 1 || !data[shop.ID] {
		t.Errorf("got %v kept, want that of the app that is there", data)
	}
}
