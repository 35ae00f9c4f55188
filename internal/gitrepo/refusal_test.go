package gitrepo

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// Git has no word of the disk where it could not make a folder.
func TestRepo_SaysWhatTheDiskRefuses(t *testing.T) {
	readOnly := func(_ *testing.T, dir string) error {
		return unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT|unix.MS_RDONLY, "")
	}
	for name, c := range map[string]struct {
		options string
		refuse  func(t *testing.T, dir string) error
		want    string
	}{
		"files": {"size=16m,nr_inodes=100", fill(nil), "room for 0 more files"},
		"bytes": {"size=1m", fill(make([]byte, 4<<10)), "bytes are free there, and none for this"},
		"any":   {"size=16m", readOnly, "is read-only"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := testkit.ShortDir(t)
			testkit.Must(t, unix.Mount("tmpfs", dir, "tmpfs", 0, c.options))
			t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
			r, err := Init(t.Context(), dir+"/shop.git")
			testkit.Must(t, err)
			held := commit(t, r, "a")
			testkit.Must(t, c.refuse(t, dir))

			err = r.Hold(t.Context(), held, "op")

			if cluster.CodeOf(err) != cluster.CodeUnavailable || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want the path and %q", err, c.want)
			}
		})
	}
}

// fill makes files of some content until the disk takes no more.
func fill(content []byte) func(t *testing.T, dir string) error {
	return func(t *testing.T, dir string) error {
		var err error
		for i := 0; err == nil; i++ {
			err = os.WriteFile(filepath.Join(dir, fmt.Sprint("fill", i)), content, 0o600)
		}
		if !errors.Is(err, unix.ENOSPC) {
			t.Fatal(err)
		}
		return nil
	}
}

// By the time that it is asked, a disk may have room again.
func TestRepo_SaysThatAFolderCouldNotBeMade(t *testing.T) {
	r := newRepo(t)
	words := "fatal: update_ref failed for ref 'refs/aorta/operations/x': cannot lock ref 'refs/aorta/operations/x': unable to create directory for ./refs/aorta/operations/x"

	err := r.byDisk(words, io.ErrUnexpectedEOF)
	other := r.byDisk("fatal: not a tree object", io.ErrUnexpectedEOF)

	if cluster.CodeOf(err) != cluster.CodeUnavailable || !strings.Contains(err.Error(), "its disk was full, most likely") || other != io.ErrUnexpectedEOF {
		t.Errorf("got %v and %v, want the disk for the first alone", err, other)
	}
}
