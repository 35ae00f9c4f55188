package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pruneNow makes a repository's packs and its last pruning two days old, and
// maintains it: what no ref reaches is past its grace.
func (l *lab) pruneNow(ctx context.Context) error {
	if err := os.Remove(filepath.Join(l.repo.Dir, "aorta-pruned")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	packs, err := filepath.Glob(filepath.Join(l.repo.Dir, "objects", "pack", "*.pack"))
	if err != nil {
		return err
	}
	then := time.Now().Add(-48 * time.Hour)
	for _, path := range packs {
		if err := os.Chtimes(path, then, then); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return l.repo.Maintain(ctx)
}

// TestPush_KeepsWhatNobodyHoldsYet prunes between the moment that the objects
// are there and the moment that a ref reaches them.
func TestPush_KeepsWhatNobodyHoldsYet(t *testing.T) {
	l := newLab(t, 0)
	l.fakeBackend.push = func(ctx context.Context, p Push, _ io.Writer) error {
		return errors.Join(l.pruneNow(ctx), l.repo.Hold(ctx, p.New, "op"), l.repo.MoveRef(ctx, p.Ref, p.Old, p.New))
	}
	id := l.commit(t, "one")

	out, ok := l.try(t, "push", "aorta", "main")

	if at, err := l.repo.Ref(t.Context(), "refs/heads/main"); !ok || at != id || err != nil {
		t.Errorf("main: got %s, %v, want %s; the push:\n%s", at, err, id, out)
	}
	run(t, l.repo.Dir, "fsck", "--full", "--strict")
}

// TestPush_SucceedsWhileTheRepositoryIsMaintained pushes, and has pushes
// refused, beside a maintenance without pause that drops whatever it may.
func TestPush_SucceedsWhileTheRepositoryIsMaintained(t *testing.T) {
	l := newLab(t, 0)
	refused := errors.New("refused")
	l.fakeBackend.push = func(ctx context.Context, p Push, _ io.Writer) error {
		if strings.HasSuffix(p.Ref, "other") {
			return refused
		}
		return errors.Join(l.repo.Hold(ctx, p.New, "op-"+p.New), l.repo.MoveRef(ctx, p.Ref, p.Old, p.New))
	}
	ctx, cancel := context.WithCancel(t.Context())
	rounds := make(chan error)
	go func() { // ends with ctx
		defer close(rounds)
		for ctx.Err() == nil {
			if err := l.pruneNow(ctx); err != nil && ctx.Err() == nil {
				rounds <- err
			}
		}
	}()
	var ids []string

	for i := range 10 {
		ids = append(ids, l.commit(t, fmt.Sprint("version ", i)))
		if out, ok := l.try(t, "push", "aorta", "main:other"); ok {
			t.Errorf("push %d to another branch: got it accepted, want it refused:\n%s", i, out)
		}
		if out, ok := l.try(t, "push", "aorta", "main"); !ok {
			t.Errorf("push %d failed:\n%s", i, out)
		}
	}

	cancel()
	for err := range rounds {
		t.Errorf("maintain: %v", err)
	}
	run(t, l.repo.Dir, "fsck", "--full", "--strict")
	for _, id := range ids {
		if there, err := l.repo.IsCommit(t.Context(), id); !there || err != nil {
			t.Errorf("commit %s: got %t, %v, want it there", id, there, err)
		}
	}
}

// BenchmarkPush is one push of one small commit into a repository that has seen
// 2,000, as they left it and as maintenance leaves it.
func BenchmarkPush(b *testing.B) {
	const before = 2000
	for _, maintained := range []bool{false, true} {
		b.Run(fmt.Sprintf("maintained=%t", maintained), func(b *testing.B) {
			l := newLab(b, 0)
			pushMany(b, l, before)
			if maintained {
				if err := l.repo.Maintain(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			packs, err := filepath.Glob(filepath.Join(l.repo.Dir, "objects", "pack", "*.pack"))
			if err != nil {
				b.Fatal(err)
			}
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				l.commit(b, fmt.Sprint("more ", i))
				b.StartTimer()
				l.git(b, "push", "-q", "aorta", "main")
			}
			b.ReportMetric(float64(len(packs)), "packs") // at the beginning; the loop resets it
		})
	}
}

// pushMany leaves a pack for each of n commits, as n pushes do, and takes over
// the last of them in the working copy.
func pushMany(tb testing.TB, l *lab, n int) {
	tb.Helper()
	var in strings.Builder
	for i := range n {
		text := fmt.Sprint("version ", i)
		_, _ = fmt.Fprintf(&in, "commit refs/heads/main\ncommitter a <a@b> %d +0000\ndata 1\nx\nM 100644 inline file.txt\ndata %d\n%s\ncheckpoint\n",
			1_700_000_000+i, len(text), text)
	}
	cmd := client(tb, l.repo.Dir, "-c", "fastimport.unpackLimit=0", "fast-import", "--quiet")
	cmd.Stdin = strings.NewReader(in.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("fast-import: %v\n%s", err, out)
	}
	l.git(tb, "pull", "-q", "aorta", "main")
}
