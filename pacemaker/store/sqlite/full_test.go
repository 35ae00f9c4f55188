package sqlite

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"aorta/internal/testkit"
)

// SQLite speaks of a disk I/O error where it finds no room for the index of its log.
func TestDatabase_SaysThatTheDiskIsFull(t *testing.T) {
	dir := testkit.ShortDir(t)
	testkit.Must(t, unix.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"))
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	d := New(dir)
	db := open(t, d.Writer())
	testkit.Must(t, db.Exec("CREATE TABLE t (x)").Error)
	raw, err := db.DB()
	testkit.Must(t, err)
	testkit.Must(t, raw.Close())
	f, err := os.Create(filepath.Join(dir, "fill"))
	testkit.Must(t, err)
	for chunk := bytes.Repeat([]byte("x"), 4<<10); err == nil; {
		_, err = f.Write(chunk)
	}
	testkit.Must(t, f.Close())

	_, err = gorm.Open(d.Writer(), &gorm.Config{Logger: logger.Discard, TranslateError: true})

	var full outage
	if !errors.As(err, &full) || !strings.Contains(full.Outage(), "the disk is full at "+dir) {
		t.Errorf("got %v, want it said with the path", err)
	}
}

// SQLite speaks of a disk I/O error where the kernel has stopped writing.
func TestDatabase_SaysThatTheDiskIsReadOnly(t *testing.T) {
	dir := testkit.ShortDir(t)
	broken := testkit.MountExt4(t, dir, 16)
	db := open(t, New(dir).Writer())
	testkit.Must(t, db.Exec("CREATE TABLE t (x)").Error)
	broken.Break(t)

	wrote := db.Exec("INSERT INTO t VALUES (1)").Error

	var out outage
	if !errors.As(wrote, &out) || !strings.Contains(out.Outage(), "the disk at "+dir+" is read-only: the kernel made it so after an error") {
		t.Errorf("got %v, want the disk", wrote)
	}
}
