package images

import (
	"os"
	"testing"

	"aorta/heart/docker"
	"aorta/heart/internal/rig"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// An engine that keeps images itself and one that leaves them to containerd have an
// image under different ids. Wherever it was made, and whoever sent it last, both find
// it, and take it for the release's. On engines of one kind alone this is the simple
// case; make test-engines has both.
func TestCarrier_AnImageIsTheSameOnEnginesOfEitherKind(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for name, way := range map[string]struct{ from, to *Carrier }{
		"from the builder to the heart": {l.builder, l.heart},
		"from the heart to the builder": {l.heart, l.builder},
	} {
		want := l.pushFrom(way.from, l.imageOn(way.from.Engine, 1))
		testkit.Must(t, way.to.Pull(t.Context(), want, func(string) {}))
		there := l.found(name, way.to.Engine, want)
		if list, err := way.to.Engine.Inventory(t.Context()); err != nil || !listed(list, want) {
			t.Errorf("%s: got %v, %v, want the image among what the engine has of the cluster", name, list, err)
		}

		testkit.Must(t, os.RemoveAll(l.dir+"/docker"))
		again := l.pushFrom(way.to, want)

		if again.Image.ID != want.Image.ID || again.Image.Config != want.Image.Config {
			t.Errorf("%s: sent from there it is %+v, want what it was, %+v", name, again.Image, want.Image)
		}
		l.found(name+", sent again", way.from.Engine, again)
		if img := l.found(name+", sent again", way.to.Engine, again); img.ID != there.ID {
			t.Errorf("%s: got %s, want it as before, %s", name, img.ID, there.ID)
		}
	}
}

// Most images of registries are an index of those for many kinds of machines, of which
// an engine has the one that it runs.
func TestCarrier_AnImageOfAnIndexTravels(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for name, way := range map[string]struct {
		from, to *Carrier
		within   func(func())
	}{
		"from the builder to the heart": {l.builder, l.heart, func(fn func()) { fn() }},
		"from the heart to the builder": {l.heart, l.builder, l.within},
	} {
		var ref string
		way.within(func() { ref = rig.IndexRegistry(t, "shop", name) })
		want := Wanted{App: l.app, Build: cluster.NewID()}
		testkit.Must(t, way.from.Engine.PullFor(t.Context(), ref, want.Build, func(string) {}))
		img, err := way.from.Engine.Image(t.Context(), ref)
		testkit.Must(t, err)
		want.Image = cluster.Image{Ref: ref, ID: img.ID, Digest: img.Digest(ref), Arch: img.Arch}

		want = l.pushFrom(way.from, want)
		err = way.to.Pull(t.Context(), want, func(string) {})

		if err != nil || img.Arch != "amd64" {
			t.Fatalf("%s: got %v for a machine of %s, want the image there", name, err, img.Arch)
		}
		l.found(name, way.to.Engine, want)
	}
}

// found is an image on an engine, by what is known of it.
func (l *lab) found(name string, e *docker.Engine, want Wanted) docker.Image {
	l.t.Helper()
	img, err := e.Find(l.t.Context(), want.Image)
	if err != nil || !want.Image.Is(img.ID) {
		l.t.Fatalf("%s: got %s, %v, want one of %v", name, img.ID, err, want.Image.IDs())
	}
	return img
}

// listed says that an image is among those of an engine, under an id that it is known by.
func listed(list []cluster.EngineImage, want Wanted) bool {
	for _, img := range list {
		if img.Build == want.Build && want.Image.Is(img.ID) && img.Origin == cluster.ImageBuilt {
			return true
		}
	}
	return false
}
