package claim

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func claimed(tb testing.TB, dir string) (release func()) {
	tb.Helper()
	release, err := Take(dir)
	if err != nil {
		tb.Fatalf("claim %s: %v", dir, err)
	}
	return release
}

func copyOf(tb testing.TB, dir, to string) {
	tb.Helper()
	if out, err := exec.CommandContext(tb.Context(), "cp", "-a", dir, to).CombinedOutput(); err != nil {
		tb.Fatalf("copy: %v: %s", err, out)
	}
}

// wantCopy checks that both ways to ask refuse dir as a copy of original.
func wantCopy(tb testing.TB, dir, original string, running bool) {
	tb.Helper()
	_, took := Take(dir)
	for _, err := range []error{took, Check(dir)} {
		var is *CopyError
		if !errors.As(err, &is) || *is != (CopyError{dir, original, running}) {
			tb.Errorf("got %v, want %s refused as a copy of %s, running: %t", err, dir, original, running)
		}
	}
}

func TestTake_RefusesACopyWhileTheOriginalIsThere(t *testing.T) {
	base := t.TempDir()
	data, other := filepath.Join(base, "data"), filepath.Join(base, "copy")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	claimed(t, data)()
	copyOf(t, data, other)

	wantCopy(t, other, data, false)
	claimed(t, data)() // the original is not disturbed by it

	release := claimed(t, data)
	wantCopy(t, other, data, false)
	release()
	if err := os.RemoveAll(data); err != nil {
		t.Fatal(err)
	}
	claimed(t, other)()
}

func TestTake_FollowsADirectoryThatWasMoved(t *testing.T) {
	base := t.TempDir()
	data, moved, other := filepath.Join(base, "data"), filepath.Join(base, "moved"), filepath.Join(base, "copy")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	claimed(t, data)()
	if err := os.Rename(data, moved); err != nil {
		t.Fatal(err)
	}

	claimed(t, moved)()

	copyOf(t, moved, other)
	wantCopy(t, other, moved, false)
	copyOf(t, moved, data) // where the original once was
	wantCopy(t, data, moved, false)
}

// A copy that took the original's place is found by who runs.
func TestTake_RefusesACopyWhoseOriginalRunsSomewhereElse(t *testing.T) {
	base := t.TempDir()
	data, moved := filepath.Join(base, "data"), filepath.Join(base, "moved")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	release := claimed(t, data)
	if err := os.Rename(data, moved); err != nil {
		t.Fatal(err)
	}
	copyOf(t, moved, data)

	wantCopy(t, data, data, true) // as far as the one that runs knows

	release()
	claimed(t, data)()
}

func TestCheck_ChangesNothing(t *testing.T) {
	dir := t.TempDir()

	err := Check(dir)

	left, _ := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("got %v and %v, want neither", err, left)
	}
}

func TestTake_RefusesAnUnreadableClaim(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "claim.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}

	if _, err := Take(dir); err == nil {
		t.Error("got it claimed")
	}
}
