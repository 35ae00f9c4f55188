package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// history is what a long series of pushes leaves: one pack each.
type history struct {
	served  string   // the last commit of main
	held    []string // commits that operations hold
	refused []string // commits that no ref reaches
}

// pushMany leaves n packs, as the pushes from the first-th on do: of every five commits one is held by
// an operation, one was refused, and three went to main.
func pushMany(tb testing.TB, r Repo, first, n int) history {
	tb.Helper()
	var in strings.Builder
	for i := first; i < first+n; i++ {
		ref := "refs/heads/main"
		switch i % 5 {
		case 3:
			ref = fmt.Sprintf("%sop-%d", holdPrefix, i)
		case 4:
			ref = fmt.Sprintf("refs/heads/refused-%d", i)
		}
		_, _ = fmt.Fprintf(&in, "commit %s\ncommitter a <a@b> %d +0000\ndata 1\nx\n", ref, 1_700_000_000+i)
		if i%5 > 2 || i == first && first > 0 {
			_, _ = fmt.Fprint(&in, "from refs/heads/main^0\n")
		}
		text := fmt.Sprint("version ", i)
		_, _ = fmt.Fprintf(&in, "M 100644 inline file.txt\ndata %d\n%s\ncheckpoint\n", len(text), text)
	}
	git(tb, r, in.String(), "-c", "fastimport.unpackLimit=0", "fast-import", "--quiet")
	h := history{served: git(tb, r, "", "rev-parse", "refs/heads/main")}
	for line := range strings.Lines(git(tb, r, "", "for-each-ref", "--format=%(refname) %(objectname)")) {
		ref, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case strings.HasPrefix(ref, holdPrefix):
			h.held = append(h.held, id)
		case strings.HasPrefix(ref, "refs/heads/refused"):
			h.refused = append(h.refused, id)
			git(tb, r, "", "update-ref", "-d", ref)
		}
	}
	return h
}

func countPacks(tb testing.TB, r Repo) int {
	tb.Helper()
	c, err := r.contents()
	if err != nil {
		tb.Fatal(err)
	}
	return c.packs
}

func maintain(tb testing.TB, r Repo) {
	tb.Helper()
	if err := r.Maintain(tb.Context()); err != nil {
		tb.Fatalf("Maintain: %v", err)
	}
}

// age makes all that git keeps older by d, and the last pruning too.
func age(tb testing.TB, r Repo, d time.Duration) {
	tb.Helper()
	then := time.Now().Add(-d)
	files, _ := filepath.Glob(filepath.Join(r.packDir(), "*"))
	for _, f := range append(files, filepath.Join(r.Dir, prunedFile)) {
		if err := os.Chtimes(f, then, then); err != nil && !errors.Is(err, os.ErrNotExist) {
			tb.Fatal(err)
		}
	}
}

// wantCommits asks for many at once: one process each would take most of the
// test's time.
func wantCommits(tb testing.TB, r Repo, ids []string, want bool) {
	tb.Helper()
	out := git(tb, r, strings.Join(ids, "\n")+"\n", "cat-file", "--batch-check=%(objectname) %(objecttype)")
	for line := range strings.Lines(out) {
		if id, kind, _ := strings.Cut(strings.TrimSpace(line), " "); (kind == "commit") != want {
			tb.Errorf("%s: got %q, want a commit: %t", id, kind, want)
		}
	}
}

func TestRepo_MaintainKeepsPacksFewAndLosesNothing(t *testing.T) {
	r := newRepo(t)
	first := pushMany(t, r, 0, 100)
	maintain(t, r) // prunes too, since it is the first time
	second := pushMany(t, r, 100, 200)
	before := countPacks(t, r)

	maintain(t, r)

	if after := countPacks(t, r); before < 200 || after > maxPacks {
		t.Errorf("packs: got %d after %d, want at most %d after 200 or more", after, before, maxPacks)
	}
	wantCommits(t, r, append(first.held, second.held...), true)
	wantCommits(t, r, append(first.refused, second.refused...), true) // in their grace
	wantCommit(t, r, second.served, true)
	git(t, r, "", "fsck", "--full", "--strict")
	c, err := r.contents()
	if err != nil || c.looseRefs > maxLooseRefs {
		t.Errorf("got %d loose refs (%v), want at most %d", c.looseRefs, err, maxLooseRefs)
	}
	if held, err := r.Held(); err != nil || len(held) != 60 {
		t.Errorf("got %d operations that hold a commit (%v), want 60 as before", len(held), err)
	}
}

func TestRepo_MaintainPrunesWhatNoRefReachesForADay(t *testing.T) {
	r := newRepo(t)
	old := pushMany(t, r, 0, 20)
	stale := filepath.Join(r.packDir(), "pack-stale.keep")
	for path, text := range map[string]string{stale: "receive-pack 1 on host\n", stale + ".keep": "an operator's\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	age(t, r, 25*time.Hour)
	young := pushMany(t, r, 20, 20)

	maintain(t, r)

	wantCommits(t, r, old.refused, false)
	wantCommits(t, r, young.refused, true)
	wantCommits(t, r, append(old.held, young.held...), true)
	wantCommit(t, r, young.served, true)
	c, err := r.contents()
	if err != nil {
		t.Fatal(err)
	}
	soon, _ := r.pruneDue(c)
	age(t, r, 25*time.Hour)
	if later, err := r.pruneDue(c); soon != "" || later == "" || err != nil {
		t.Errorf("pruned again: got %q at once and %q a day later (%v), want the young ones to go by then", soon, later, err)
	}
	git(t, r, "", "fsck", "--full", "--strict")
	if _, err := os.Stat(stale); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the mark of a killed push: got %v, want it gone", err)
	}
	if _, err := os.Stat(stale + ".keep"); err != nil {
		t.Errorf("an operator's own mark: got %v, want it there", err)
	}
}

func TestRepo_MaintainPrunesSoonerAfterARefusedPush(t *testing.T) {
	r := newRepo(t)
	if err := os.WriteFile(filepath.Join(r.Dir, prunedFile), nil, 0o600); err != nil { // just now
		t.Fatal(err)
	}
	h := pushMany(t, r, 0, 10)
	incoming := filepath.Join(r.Dir, "objects", "tmp_objdir-incoming-x1", "pack")
	if err := errors.Join(r.NoteRefused(), os.MkdirAll(incoming, 0o700)); err != nil {
		t.Fatal(err)
	}
	end := pushes.begin(r.Dir)
	maintain(t, r)
	_, during := os.Stat(incoming)
	end()
	maintain(t, r)
	wantCommits(t, r, h.refused, true)
	age(t, r, 61*time.Minute)

	maintain(t, r)

	wantCommits(t, r, h.refused, false)
	wantCommits(t, r, h.held, true)
	if _, err := os.Stat(incoming); during != nil || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what a killed push left: got %v during another one and %v after it, want it there and gone", during, err)
	}
	if r.hasRefused() {
		t.Error("a refused push is still noted when nothing of it is left")
	}
}

func TestRepo_MaintainGoesOnAfterARepackThatWasKilled(t *testing.T) {
	r := newRepo(t)
	pushMany(t, r, 0, 15)
	left := filepath.Join(r.packDir(), ".tmp-99-pack-0123456789012345678901234567890123456789.pack")
	if err := os.WriteFile(left, []byte("PACK"), 0o600); err != nil {
		t.Fatal(err)
	}
	fresh := r.Maintain(t.Context())
	age(t, r, 2*time.Hour)

	maintain(t, r)

	if packs := countPacks(t, r); packs > maxPacks {
		t.Errorf("packs: got %d (%v at first), want at most %d", packs, fresh, maxPacks)
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was left: got %v, want it gone", err)
	}
}

func TestRepo_MaintainDropsACommitOnceItsHoldIsReleased(t *testing.T) {
	r := newRepo(t)
	h := pushMany(t, r, 0, 5)
	maintain(t, r)
	if err := r.Release(t.Context(), "op-3"); err != nil {
		t.Fatal(err)
	}
	age(t, r, 25*time.Hour)

	maintain(t, r)

	wantCommits(t, r, h.held, false)
	wantCommit(t, r, h.served, true)
}

func TestRepo_MaintainStartsNoGitWhereNothingIsToBeDone(t *testing.T) {
	empty, quiet := newRepo(t), newRepo(t)
	pushMany(t, quiet, 0, 3)
	maintain(t, quiet)
	age(t, quiet, 25*time.Hour)
	never := Repo{Dir: filepath.Join(t.TempDir(), "never.git")}
	t.Setenv("PATH", t.TempDir())

	for name, r := range map[string]Repo{"empty": empty, "quiet": quiet, "never made": never} {
		if err := r.Maintain(t.Context()); err != nil {
			t.Errorf("%s: got %v, want no git started", name, err)
		}
	}
}

func TestExclusion_APushCancelsAPruningAndKeepsOneFromBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &exclusion{repos: map[string]*activity{}}
		begun, result := make(chan struct{}), make(chan error, 1)
		release := make(chan struct{})
		go func() {
			_, err := e.prune(t.Context(), "a", func(ctx context.Context) error {
				close(begun)
				<-ctx.Done()
				<-release
				return ctx.Err()
			})
			result <- err
		}()
		<-begun
		pushing := make(chan func(), 1)

		go func() { pushing <- e.begin("a") }()
		synctest.Wait()

		if len(pushing) != 0 {
			t.Error("a push: got it at work beside a pruning, want it to wait for its end")
		}
		close(release)
		end := <-pushing
		if err := <-result; !errors.Is(err, context.Canceled) {
			t.Errorf("the pruning: got %v, want it cancelled", err)
		}
		never := func(context.Context) error { t.Error("pruned during a push"); return nil }
		if ran, err := e.prune(t.Context(), "a", never); ran || err != nil {
			t.Errorf("during a push: got %t, %v, want no pruning", ran, err)
		}
		other, _ := e.prune(t.Context(), "b", func(context.Context) error { return nil })
		end()
		after, _ := e.prune(t.Context(), "a", func(context.Context) error { return nil })
		if !other || !after || len(e.repos) != 0 {
			t.Errorf("another repository: %t, after the push: %t, %d left; want both pruned and none left", other, after, len(e.repos))
		}
	})
}
