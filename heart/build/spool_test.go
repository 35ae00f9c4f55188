package build

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

func TestBuilder_CleanRemovesSpoolsOfAKilledBuilder(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "notes.txt")
	for _, name := range []string{filepath.Join(dir, "source-1.tar"), other} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}

	err := (&Builder{Dir: dir}).Clean()

	if found, listErr := filepath.Glob(filepath.Join(dir, "*")); err != nil || listErr != nil || len(found) != 1 || found[0] != other {
		t.Errorf("got %v, %v, %v; want %s alone", found, err, listErr, other)
	}
	if err := (&Builder{Dir: filepath.Join(dir, "none")}).Clean(); err != nil {
		t.Errorf("without a directory: %v", err)
	}
}

// A spool goes with its process, so it has no name while it is written.
func TestNewSpool_LeavesNothingBehind(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "builds")
	s, err := newSpool(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()

	if _, err := s.WriteString("x"); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("got %v, %v; want an empty directory", left, err)
	}
}

func TestNewSpool_SaysWhatTheDiskRefuses(t *testing.T) {
	dir := testkit.ShortDir(t)
	testkit.MountExt4(t, dir, 16).Break(t)

	_, err := newSpool(dir)

	if cluster.CodeOf(err) != cluster.CodeUnavailable || !strings.Contains(err.Error(), "the disk at "+dir+" is read-only") {
		t.Errorf("got %v, want the disk", err)
	}
}
