package images

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"aorta/heart/docker"
	"aorta/heart/internal/rig"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// A layer that the registry's disk has damaged is not found, also when the link is
// cut, and is there again once the builder has sent the image again.
func TestCarrier_ADamagedLayerIsSentAgain(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	want := l.push(l.image(3))
	for name, damage := range map[string]func(path string, size int64) error{
		"other content": func(path string, size int64) error { return writeAt(path, size/2) },
		"cut short":     func(path string, size int64) error { return os.Truncate(path, size/2) },
		"gone":          func(path string, _ int64) error { return os.Remove(path) },
		"a cut link": func(path string, size int64) error {
			l.disturb(cutting("GET", "/blobs/", 1, 700_000))
			return writeAt(path, size/2)
		},
	} {
		path, size := l.largest()
		testkit.Must(t, damage(path, size))

		err := l.heart.Pull(t.Context(), want, func(string) {})

		if cluster.CodeOf(err) != cluster.CodeNotFound || !strings.Contains(err.Error(), "is lost from the registry: it was damaged on the disk, or is gone from "+path) {
			t.Errorf("%s: got %v, want the layer lost", name, err)
		}
		l.disturb(nil)
		if again := l.push(want); again.Image.Pushed != want.Image.Pushed {
			t.Errorf("%s: got it again as %s, want %s", name, again.Image.Pushed, want.Image.Pushed)
		}
	}
	if err := l.heart.Pull(t.Context(), want, func(string) {}); err != nil || !l.has(l.other, want) {
		t.Errorf("got %v, want the image once it was sent again", err)
	}
}

// Instances of one release start side by side on a node.
func TestCarrier_PullsTheSameSideBySide(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for range 2 {
		want := l.push(l.image(1))
		var pulls errgroup.Group
		for range 8 {
			pulls.Go(func() error { return l.heart.Pull(t.Context(), want, func(string) {}) })
		}

		err := pulls.Wait()

		if names := l.names(l.other, want); err != nil || !slices.Equal(names, []string{want.Image.Ref}) {
			t.Errorf("got %v and the names %v, want the image for each, called %s alone", err, names, want.Image.Ref)
		}
	}
}

// A heart that was killed after its engine had the image, and before it had named it,
// names it when it is started again.
func TestCarrier_SettlesAPullThatWasCutOff(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	want := l.push(l.image(1))
	cut := l.heart.Proxy.open(l.app, false, &teller{}, func() {})
	ref := l.heart.repository(l.app) + "@" + want.Image.Pushed
	testkit.Must(t, l.other.Fetch(t.Context(), ref, cut.Credentials, func(docker.Layer) {}))
	l.heart.Proxy.close(cut)

	for range 2 {
		err := l.heart.Settle(t.Context(), want)

		if names := l.names(l.other, want); err != nil || !slices.Equal(names, []string{want.Image.Ref}) {
			t.Errorf("got %v and the names %v, want %s alone", err, names, want.Image.Ref)
		}
	}
}

func TestCarrier_NamesAFullDisk(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Fatal("this test mounts a file system: run it as root")
	}
	root := testkit.ShortDir(t)
	testkit.Must(t, unix.Mount("tmpfs", root, "tmpfs", 0, "size=12m"))
	t.Cleanup(func() { _ = unix.Unmount(root, unix.MNT_DETACH) })
	l := newLab(t, rig.LiveRestore, "--data-root", root)
	want := l.push(l.image(9))

	err := l.heart.Pull(t.Context(), want, func(string) {})

	if !errors.Is(err, docker.ErrNoSpace) || !strings.Contains(err.Error(), "the disk is full at "+root+": ") || !strings.Contains(err.Error(), " bytes are free there") {
		t.Errorf("got %v, want the disk named, and what is free", err)
	}
}

// writeAt changes one byte of a file.
func writeAt(path string, at int64) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	_, err = f.WriteAt([]byte("rot"), at)
	return err
}

// largest is the largest of the registry's blobs.
func (l *lab) largest() (path string, size int64) {
	l.t.Helper()
	all, err := filepath.Glob(l.dir + "/docker/registry/v2/blobs/sha256/*/*/data")
	testkit.Must(l.t, err)
	for _, file := range all {
		if info, err := os.Stat(file); err == nil && info.Size() > size {
			path, size = file, info.Size()
		}
	}
	return path, size
}
