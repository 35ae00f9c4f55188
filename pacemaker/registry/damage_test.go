package registry

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// damages are what becomes of a file on a bad disk, or in a power cut.
var damages = map[string]func(path string) error{
	"other content": func(path string) error {
		raw, err := os.ReadFile(path)
		if err == nil {
			raw[len(raw)/2] ^= 1
			err = os.WriteFile(path, raw, 0o600)
		}
		return err
	},
	"cut short": func(path string) error { return os.Truncate(path, 2) },
	"empty":     func(path string) error { return os.Truncate(path, 0) },
	"gone":      os.Remove,
}

// take gives what somebody gets who takes something: all of it, or why not.
func (l *lab) take(path string) (whole bool, says string) {
	l.t.Helper()
	req, err := http.NewRequest("GET", l.url+path, nil)
	testkit.Must(l.t, err)
	req.Header.Set("Accept", schema2)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false, err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	return err == nil && resp.StatusCode == http.StatusOK, string(raw)
}

// What is damaged reaches nobody as if it were whole, and the next push sends it again.
func TestRegistry_GivesNothingThatIsDamaged(t *testing.T) {
	t.Parallel()
	for name, damage := range damages {
		l := newLab(t, t.TempDir())
		app, build := cluster.NewID(), cluster.NewID()
		digest := l.push(app, build, "a layer below", "the code")
		layer, revision := digestOf([]byte("the code")), filepath.Join(l.revisions(app), hexOf(digest), "link")
		blob, manifest := repo(app)+"/blobs/"+layer, repo(app)+"/manifests/"+digest
		for _, c := range []struct{ what, file, path string }{
			{"a layer", l.data(layer), blob},
			{"a layer's link", filepath.Join(l.layers(app), hexOf(layer), "link"), blob},
			{"a manifest", l.data(digest), manifest},
			{"a manifest's link", revision, manifest},
		} {
			testkit.Must(t, damage(c.file))

			first, _ := l.take(c.path)
			again, says := l.take(c.path)

			if first || again || !strings.Contains(says, `"errors"`) {
				t.Errorf("%s, %s: got it %v and %v: %s, want it refused", c.what, name, first, again, says)
			}
			if l.push(app, build, "a layer below", "the code") != digest || !l.pulls(app, digest) {
				t.Errorf("%s, %s: want it whole once it is pushed again", c.what, name)
			}
		}
	}
}

func TestRegistry_SaysWhereALostBlobWas(t *testing.T) {
	t.Parallel()
	l := newLab(t, t.TempDir())
	app := cluster.NewID()
	l.push(app, cluster.NewID(), "base", "the code")
	layer := digestOf([]byte("the code"))
	testkit.Must(t, os.Truncate(l.data(layer), 3))

	l.take(repo(app) + "/blobs/" + layer)
	_, says := l.take(repo(app) + "/blobs/" + layer)

	if want := layer + " is lost from the registry: it was damaged on the disk, or is gone from " + l.data(layer); !strings.Contains(says, want) {
		t.Errorf("got %s, want %s", says, want)
	}
	if got := l.Damaged(); got != 1 {
		t.Errorf("got %d damaged files, want one", got)
	}
}

// A damaged manifest keeps no list from being made, and no sweep from others.
func TestRegistry_LivesWithADamagedManifest(t *testing.T) {
	t.Parallel()
	for name, damage := range damages {
		l := newLab(t, t.TempDir())
		app := cluster.NewID()
		unnamed, good := cluster.NewID(), cluster.NewID()
		bad := l.push(app, cluster.NewID(), "base", "old code")
		l.push(app, unnamed, "base", "older code")
		digest := l.push(app, good, "base", "new code")
		testkit.Must(t, damage(l.data(bad)))
		testkit.Must(t, damage(filepath.Join(l.tags(app), string(unnamed), "current", "link")))

		l.later()
		l.sweep()
		list := l.listed()

		listed := slices.ContainsFunc(list, func(img cluster.RegistryImage) bool { return img.Build == good && img.Digest == digest })
		if !listed || !l.pulls(app, digest) {
			t.Errorf("%s: got %+v, want the other image whole", name, list)
		}
	}
}

func TestVerify_RemovesAllThatIsDamaged(t *testing.T) {
	t.Parallel()
	l := newLab(t, t.TempDir())
	shop, blog := cluster.NewID(), cluster.NewID()
	build := cluster.NewID()
	digest := l.push(shop, build, "one", "two")
	other := l.push(blog, cluster.NewID(), "three", "four")
	for _, layer := range []string{"one", "two", "four"} {
		testkit.Must(t, os.WriteFile(l.data(digestOf([]byte(layer))), []byte("rot"), 0o600))
	}

	testkit.Must(t, l.Verify(t.Context(), shop))

	if l.push(shop, build, "one", "two") != digest || !l.pulls(shop, digest) {
		t.Error("want the image whole once it is pushed again")
	}
	if whole, _ := l.take(repo(blog) + "/manifests/" + other); !whole || l.Damaged() != 2 {
		t.Errorf("got %d removed, want what another app has left alone", l.Damaged())
	}
}
