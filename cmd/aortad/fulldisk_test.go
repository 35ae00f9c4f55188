package main_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"aorta/internal/disk"
	"aorta/internal/testkit"
)

// A full disk is said at every door with its path and what is free, apps go on, and
// all is as before once there is room.
func TestFullDisk_IsSaidAtEveryDoorAndHeals(t *testing.T) {
	t.Parallel()
	c := unstarted(t)
	data := c.dir + "/data"
	testkit.Must(t, os.Mkdir(data, 0o755))
	testkit.Must(t, unix.Mount("tmpfs", data, "tmpfs", 0, "size=192m"))
	t.Cleanup(func() { c.end(); _ = unix.Unmount(data, unix.MNT_DETACH) })
	c.start()
	shop := c.newApp("shop", "hello")
	shop.deploy()
	testkit.Eventually(t, "a cluster in order", c.healthy)

	filled := fillDisk(t, data)
	full := "full at " + data
	testkit.Eventually(t, "the full disk to be named", func() bool {
		return strings.Contains(c.aorta("status", "--wide"), "The disk of the data directory "+data+" is full")
	})
	if code, body := c.readyz(); code != 503 || !strings.Contains(body, "is full") {
		t.Errorf("readyz: got %d %s, want the full disk", code, body)
	}
	c.aorta("apps", "create", "written") // the ballast's room
	refill(t, filled)

	shop.write("note.txt", "second")
	shop.commit("second")
	doors := map[string]result{
		"git push":       shop.push(),
		"archive upload": c.run(shop.dir, "aorta", "deploy", "-a", "shop"),
	}
	made := 0
	testkit.Eventually(t, "the API to be out of room", func() bool {
		refill(t, filled)
		made++
		doors["API"] = c.run(c.dir, "aorta", "apps", "create", fmt.Sprint("app", made))
		return doors["API"].code != 0
	})
	for door, r := range doors {
		if said := r.out + r.err; r.code == 0 || !strings.Contains(said, full) || !strings.Contains(said, "bytes are free there") {
			t.Errorf("%s: got exit %d and\n%s\nwant %q with the bytes", door, r.code, said, full)
		}
	}
	if code, _ := shop.get("/"); code != 200 {
		t.Errorf("the app answers %d meanwhile", code)
	}

	testkit.Must(t, os.Remove(filled))
	testkit.Eventually(t, "all to be well again", c.healthy)
	shop.deploy()
	if got := shop.release(); got != "v2" {
		t.Errorf("got %s after the disk has room, want v2", got)
	}
	if kept, err := os.Stat(filepath.Join(data, "ballast")); err != nil || kept.Size() == 0 {
		t.Errorf("the ballast: got %v, want it back", err)
	}
}

// A disk with bytes to spare that has room for no more files says so, at every door.
func TestFullDisk_OfFilesIsSaidAtEveryDoor(t *testing.T) {
	t.Parallel()
	c := unstarted(t)
	data := c.dir + "/data"
	testkit.Must(t, os.Mkdir(data, 0o755))
	testkit.Must(t, unix.Mount("tmpfs", data, "tmpfs", 0, "size=192m,nr_inodes=4000"))
	t.Cleanup(func() { c.end(); _ = unix.Unmount(data, unix.MNT_DETACH) })
	c.start()
	shop := c.newApp("shop", "hello")
	shop.deploy()
	shop.write("note.txt", "second")
	shop.commit("second")
	testkit.Eventually(t, "a cluster in order", c.healthy)

	many := filepath.Join(data, "many")
	testkit.Must(t, os.Mkdir(many, 0o700))
	doors := map[string]func() result{
		"git push":       shop.push,
		"archive upload": func() result { return c.run(shop.dir, "aorta", "deploy", "-a", "shop") },
		"config set":     func() result { return c.run(c.dir, "aorta", "config", "set", "A=1", "-a", "shop") },
	}
	fillWithFiles(t, many)
	testkit.Eventually(t, "the lack of files to be named", func() bool {
		said := c.aorta("status", "--wide")
		return strings.Contains(said, "room for 0 more files") && strings.Contains(said, "df -i "+data)
	})
	for door, knock := range doors {
		fillWithFiles(t, many)
		r := knock()
		if said := r.out + r.err; r.code == 0 || !strings.Contains(said, "the disk is full at "+data) || !strings.Contains(said, "more files") || !strings.Contains(said, "df -i "+data) || strings.Contains(said, "df -h") {
			t.Errorf("%s: got exit %d and\n%s\nwant the files", door, r.code, said)
		}
	}

	testkit.Must(t, os.RemoveAll(many))
	testkit.Eventually(t, "the disk to be in order", func() bool { code, _ := c.readyz(); return code == 200 })
	shop.deploy()
}

// fillWithFiles makes empty files until the disk takes no more.
func fillWithFiles(t *testing.T, dir string) {
	t.Helper()
	for {
		f, err := os.CreateTemp(dir, "")
		if disk.Full(err) {
			return
		}
		testkit.Must(t, err)
		testkit.Must(t, f.Close())
	}
}

// fillDisk makes a file that takes the room there is at that moment: the ballast,
// should it go meanwhile, is not in it.
func fillDisk(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "fill")
	f, err := os.Create(path)
	testkit.Must(t, err)
	defer func() { _ = f.Close() }()
	testkit.Eventually(t, "the disk to be full", func() bool { // others write, too
		s, err := disk.At(dir)
		testkit.Must(t, err)
		return s.Free > 0 && unix.Fallocate(int(f.Fd()), 0, 0, s.Free) == nil
	})
	return path
}

// refill takes all the room that is left, as it comes.
func refill(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	testkit.Must(t, err)
	defer func() { _ = f.Close() }()
	for chunk := bytes.Repeat([]byte("x"), 4<<10); err == nil; {
		_, err = f.Write(chunk)
	}
}
