package logs

import (
	"fmt"
	"strings"
	"testing"

	"aorta/heart/docker"
	"aorta/heart/internal/rig"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// What a real container prints, faster than anybody ships it, is in the store
// once and in order, over the engine's rotation and restarts of the heart.
func TestShipper_ShipsEachLineOfAContainerOnce(t *testing.T) {
	const total, files = 20_000, 40
	if testing.Short() {
		t.Skip("needs a Docker engine, which a quick check does not ask for")
	}
	usual, id := rig.Engine(t)
	e, err := docker.Open(docker.Options{Host: testkit.DockerHost(), Cluster: id, LogSize: 128 << 10, LogFiles: files})
	testkit.Must(t, err)
	defer e.Close()
	image := rig.Image(t, usual, id)
	_, err = e.EnsureNetwork(t.Context())
	testkit.Must(t, err)
	w := target()
	spec := cluster.InstanceSpec{ID: w.ID, AppID: cluster.NewID(), Type: "worker", Image: image, Env: map[string]string{"MODE": fmt.Sprintf("lines:%d", total), "PORT": "5000"}}
	_, err = e.Create(t.Context(), docker.Launch{Spec: spec})
	testkit.Must(t, err)
	testkit.Must(t, e.Start(t.Context(), w.ID))
	c, err := e.Inspect(t.Context(), w.ID)
	testkit.Must(t, err)
	s := newStore()
	keeps := func(o *Options) { o.Files = files }

	for round := range 5 {
		h := startHeart(t, s, keeps)
		h.Follow(w, c.LogPath)
		testkit.Eventually(t, "more lines in the store", func() bool { return len(s.app(w.ID)) > round*100 })
		h.kill()
		s.set(func() { s.deaf = 1 })
	}
	h := startHeart(t, s, keeps)
	h.Follow(w, c.LogPath)
	testkit.Eventually(t, "the last line", func() bool { return len(s.app(w.ID)) >= total+4 })

	for i, stream := range []string{"stderr", "stdout"} {
		var got, want []string
		for _, l := range s.texts(w.ID, stream) {
			if strings.HasPrefix(l, "line ") {
				got = append(got, l)
			}
		}
		for n := range total {
			if (n%3 == 0) == (i == 0) {
				want = append(want, numbered(n))
			}
		}
		wantTexts(t, got, want)
	}
	all := strings.Join(s.app(w.ID), "\n")
	if got := len(s.app(w.ID)); got != total+4 || !strings.Contains(all, strings.Repeat("x", MaxLine)+CutMark) || !strings.Contains(all, "bad \uFFFD\uFFFD bytes") {
		t.Errorf("got %d lines, want %d with the long one cut and the bad bytes replaced", got, total+4)
	}
	if said := s.system(w.ID); len(said) > 0 {
		t.Errorf("the platform said %q, want nothing", said)
	}
}
