package disk

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"aorta/internal/testkit"
)

// smallDisk is a file system of its own of so many megabytes.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("this test mounts a file system: run it as root")
	}
	dir := testkit.ShortDir(t)
	testkit.Must(t, unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size))
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

// fill writes until nothing more fits, and gives the file.
func fill(t *testing.T, dir string) string {
	t.Helper()
	f, err := os.CreateTemp(dir, "fill")
	testkit.Must(t, err)
	defer func() { _ = f.Close() }()
	chunk := bytes.Repeat([]byte("x"), 64<<10)
	for err == nil {
		_, err = f.Write(chunk)
	}
	if !Full(err) {
		t.Fatal(err)
	}
	return f.Name()
}

func TestBallast_GoesWhenTheDiskIsFullAndComesBack(t *testing.T) {
	dir := smallDisk(t, "64m")
	b := Ballast{What: "the data directory", Dir: dir, Path: filepath.Join(dir, "ballast"), Written: filepath.Join(dir, "written"), Log: slog.New(slog.DiscardHandler)}

	first := b.Check()
	kept, err := os.Stat(b.Path)
	testkit.Must(t, err)
	filled := fill(t, dir)
	full, again := b.Check(), b.Check()
	_, gone := os.Stat(b.Path)
	wrote := os.WriteFile(filepath.Join(dir, "state"), make([]byte, 1<<20), 0o600)
	spare, err := Spare(dir)
	testkit.Must(t, err)
	testkit.Must(t, os.Remove(filled))
	healed := b.Check()
	back, err := os.Stat(b.Path)
	testkit.Must(t, err)

	if first != nil || kept.Size() != 4<<20 || back.Size() != 4<<20 {
		t.Errorf("got %v, %d bytes at first and %d in the end, want 4 MB each", first, kept.Size(), back.Size())
	}
	for _, err := range []error{full, again} {
		if err == nil || !strings.Contains(err.Error(), "the disk of the data directory "+dir+" is full") {
			t.Errorf("got %v, want it full for as long as the ballast is gone", err)
		}
	}
	if !errors.Is(gone, os.ErrNotExist) || wrote != nil {
		t.Errorf("got the ballast %v and the write %v, want the one gone and the other done", gone, wrote)
	}
	if spare > 3<<20 {
		t.Errorf("got %d bytes to spare, want what is left of the ballast's 4 MB less the last of them", spare)
	}
	if healed != nil {
		t.Errorf("got %v once there is room, want nothing", healed)
	}
}

// Its bytes help nobody who lacks files.
func TestBallast_StaysWhenTheDiskHasNoMoreFiles(t *testing.T) {
	dir := testkit.ShortDir(t)
	testkit.Must(t, unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64m,nr_inodes=50"))
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	b := Ballast{What: "the data directory", Dir: dir, Path: filepath.Join(dir, "ballast"), Written: filepath.Join(dir, "written"), Log: slog.New(slog.DiscardHandler)}
	testkit.Must(t, b.Check())
	var err error
	for i := 0; err == nil; i++ {
		err = os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), nil, 0o600)
	}

	full := b.Check()

	if _, err := os.Stat(b.Path); err != nil {
		t.Errorf("the ballast: %v", err)
	}
	if full == nil || !strings.Contains(full.Error(), "room for 0 more files are free: remove files (df -i "+dir+")") {
		t.Errorf("got %v, want the files", full)
	}
}
