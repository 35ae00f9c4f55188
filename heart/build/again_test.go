package build_test

import (
	"sync"
	"testing"

	"aorta/heart/internal/rig"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// Whoever misses an image at the same time gets one that was made once.
func TestBuilder_MakesAnImageAgainThatIsGone(t *testing.T) {
	b, s, r := setUp(t, map[string]string{"Dockerfile": dockerfile, "testapp": string(rig.Binary(t))})
	first, err := b.Build(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	rig.LoseImages(t, b.Engine)

	var missed sync.WaitGroup
	results := make([]cluster.BuildResult, 3)
	for i := range results {
		missed.Go(func() {
			var err error
			if results[i], err = b.Build(t.Context(), &rig.Job{Arguments: cluster.BuildArgs{Build: s.spec.ID}}); err != nil {
				t.Errorf("build again: %v", err)
			}
		})
	}
	missed.Wait()

	if len(s.done) != 2 || s.done[1].Replaces != first.Image.ID || s.done[1].State != cluster.BuildReady {
		t.Errorf("recorded %+v, want one image in the place of %s", s.done, first.Image.ID)
	}
	for _, got := range results {
		if there, err := b.Engine.Has(t.Context(), got.Image); !there || err != nil || got.Image.ID != s.spec.Image.ID {
			t.Errorf("got %+v, on the engine: %t, %v; want the one that was recorded", got.Image, there, err)
		}
	}
}

// What can't be made again leaves the build as it was.
func TestBuilder_AnImageThatCantBeMadeAgain(t *testing.T) {
	b, s, r := setUp(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY none /x\n"})
	s.spec.State, s.spec.Image = cluster.BuildReady, cluster.Image{Ref: "aorta/shop:gone", ID: "sha256:0000000000000000000000000000000000000000000000000000000000000000"}

	_, err := b.Build(t.Context(), r)

	if !jobs.IsPermanent(err) || len(s.done) != 0 {
		t.Errorf("got %v, recorded %+v; want it refused for good, and nothing recorded", err, s.done)
	}
}

// A pulled image comes again by its digest, whatever its name stands for by then.
func TestBuilder_PullsAnImageAgainThatIsGone(t *testing.T) {
	b, s, r := setUp(t, nil)
	s.spec.Kind, s.spec.Source = cluster.SourceImage, rig.Registry(t, "shop", string(s.spec.ID))
	b.Fetch = []string{"127.0.0.1"}
	first, err := b.Build(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	rig.LoseImages(t, b.Engine)

	again, err := b.Build(t.Context(), r)

	if there, herr := b.Engine.Has(t.Context(), first.Image); err != nil || again.Image != first.Image || !there || herr != nil {
		t.Errorf("got %+v, %v, on the engine: %t, %v; want %+v there again", again.Image, err, there, herr, first.Image)
	}
}
