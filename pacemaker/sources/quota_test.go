package sources

import (
	"os"
	"slices"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// huge makes a deploy's archive as large as one may be.
func (r *fixture) huge(op cluster.Operation) string {
	r.TB.Helper()
	path := r.sources.ArchivePath(r.buildOf(op))
	testkit.Must(r.TB, os.Truncate(path, MaxArchive))
	return path
}

func (r *fixture) keep(app cluster.App) error {
	_, err := r.sources.Keep(r.TB.Context(), app, cluster.NewID(), strings.NewReader("a tar"))
	return err
}

func TestKeep_RefusesAnAppThatHasTooMuch(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop, other := r.App("shop"), r.App("other")
	for range MaxArchives/MaxArchive - 1 {
		r.huge(r.archive(shop))
	}

	last := r.archive(shop)
	r.huge(last)
	refused, others := r.keep(shop), r.keep(other)
	r.Fail(last.ID, "no image")
	testkit.Must(t, r.sources.Drop(t.Context(), last))
	again := r.keep(shop)

	if cluster.CodeOf(refused) != cluster.CodeConflict || !strings.Contains(refused.Error(), "5g") || !strings.Contains(refused.Error(), "aorta jobs -a shop") {
		t.Errorf("got %v, want it refused with the limit and what to do", refused)
	}
	if others != nil || again != nil {
		t.Errorf("got %v for another app and %v once there is room, want both taken", others, again)
	}
}

func TestKeep_CountsUploadsThatAreUnderWay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop := r.App("shop")
	var ends []func()
	for range MaxArchives / MaxArchive {
		done, err := r.sources.admit(t.Context(), shop)
		testkit.Must(t, err)
		ends = append(ends, done)
	}

	refused := r.keep(shop)
	for _, end := range ends {
		end()
	}

	if cluster.CodeOf(refused) != cluster.CodeConflict || r.keep(shop) != nil {
		t.Errorf("got %v, want it refused until the others have ended", refused)
	}
}

// What runs and what waits stays; the archives of older releases make room.
func TestKeep_MakesRoomOfOldReleases(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop := r.App("shop")
	var paths []string
	for range MaxArchives / MaxArchive {
		op := r.archive(shop)
		paths = append(paths, r.huge(op))
		r.Release(shop, op)
	}

	err := r.keep(shop)

	testkit.Must(t, err)
	there := func(path string) bool { _, err := os.Stat(path); return err == nil }
	if there(paths[0]) || slices.ContainsFunc(paths[1:], func(p string) bool { return !there(p) }) {
		t.Errorf("got %v left, want all but the oldest", r.left())
	}
}
