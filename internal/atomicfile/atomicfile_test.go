package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestWrite_ReplacesContentAndMode(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	for _, c := range []struct {
		text string
		mode os.FileMode
	}{{"one", 0o644}, {"", 0o600}, {"three", 0o640}} {
		if err := Write(path, []byte(c.text), c.mode); err != nil {
			t.Fatal(err)
		}

		got, err := os.ReadFile(path)
		st, serr := os.Stat(path)
		if err != nil || serr != nil || string(got) != c.text || st.Mode().Perm() != c.mode {
			t.Errorf("got %q %v (%v, %v), want %q %v", got, st.Mode(), err, serr, c.text, c.mode)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("got %v, want no temporary file left", entries)
	}
}

func TestWrite_AFailureLeavesTheOldAndNoScraps(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := os.MkdirAll(filepath.Join(path, "inside"), 0o755); err != nil {
		t.Fatal(err)
	}

	over := Write(path, []byte("x"), 0o600)
	missing := Write(filepath.Join(dir, "none", "file"), []byte("x"), 0o600)

	if over == nil || !strings.Contains(over.Error(), path) || !errors.Is(missing, fs.ErrNotExist) {
		t.Errorf("got %v and %v, want errors that name the file", over, missing)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("got %v, want no temporary file left", entries)
	}
}

func TestWrite_ReadersSeeAWholeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	texts := []string{strings.Repeat("a", 100_000), strings.Repeat("b", 200_000)}
	if err := Write(path, []byte(texts[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for _, text := range texts {
		group.Go(func() {
			for range 20 {
				if err := Write(path, []byte(text), 0o600); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { group.Wait(); close(done) }()

	for reading := true; reading; {
		select {
		case <-done:
			reading = false
		default:
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != texts[0] && string(got) != texts[1] {
			t.Fatalf("got %d bytes, %v; want one text or the other", len(got), err)
		}
	}
}

func TestWriteFunc_AFailureLeavesTheOld(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := Write(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("half of it")

	err := WriteFunc(path, 0o600, func(w io.Writer) error {
		_, _ = w.Write([]byte("new, and"))
		return broken
	})

	got, _ := os.ReadFile(path)
	entries, _ := os.ReadDir(dir)
	if !errors.Is(err, broken) || string(got) != "old" || len(entries) != 1 {
		t.Errorf("got %v, %q and %v, want the old content alone", err, got, entries)
	}
}

func TestReplace_GivesContentAndMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, text := range []string{"one", "two"} {
		if err := Replace(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}

		got, err := os.ReadFile(path)
		st, serr := os.Stat(path)
		if err != nil || serr != nil || string(got) != text || st.Mode().Perm() != 0o644 {
			t.Errorf("got %q %v (%v, %v), want %q", got, st.Mode(), err, serr, text)
		}
	}
}

func TestSymlink_ReplacesLinksAndFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "link")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"/one", "/two"} {
		if err := Symlink(target, path); err != nil {
			t.Fatal(err)
		}

		if got, err := os.Readlink(path); got != target {
			t.Errorf("got %q (%v), want %s", got, err, target)
		}
	}
	if err := Symlink("/x", filepath.Join(dir, "none", "link")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want the missing directory named", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("got %v, want no temporary link left", entries)
	}
}
