package build_test

import (
	"context"
	"strings"
	"testing"

	"aorta/heart/images"
	"aorta/heart/internal/rig"
	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// shelf is a registry that refuses the first pushes.
type shelf struct {
	refuse []error
	pushed []images.Wanted
}

const onShelf = "sha256:00000000000000000000000000000000000000000000000000000000000000aa"

func (s *shelf) Push(_ context.Context, want images.Wanted, tell, _ func(string)) (cluster.Image, error) {
	s.pushed = append(s.pushed, want)
	if len(s.refuse) > 0 {
		err := s.refuse[0]
		s.refuse = s.refuse[1:]
		return want.Image, err
	}
	tell("pushing 31 of 100 MB")
	want.Image.Pushed = onShelf
	return want.Image, nil
}

func TestBuilder_PushesWhatOthersNeed(t *testing.T) {
	b, s, r := setUp(t, map[string]string{"Dockerfile": dockerfile, "testapp": string(rig.Binary(t))})
	shelf := &shelf{}
	b.Images = shelf

	alone, err := b.Build(t.Context(), r)
	testkit.Must(t, err)
	if len(shelf.pushed) != 0 || alone.Image.Pushed != "" {
		t.Errorf("pushed %+v, want nothing while nobody else runs instances", shelf.pushed)
	}
	s.spec.Push = true
	shelf.refuse = []error{cluster.Forbidden("node has no such build")} // of a pacemaker that was started anew
	asked, err := b.Build(t.Context(), r)
	testkit.Must(t, err)

	last := s.done[len(s.done)-1]
	if asked.Image.Pushed != onShelf || last.Image != asked.Image || last.Replaces != alone.Image.ID || last.State != cluster.BuildReady {
		t.Errorf("got %+v, recorded %+v, want the same image with its digest", asked, last)
	}
	if len(shelf.pushed) != 2 || shelf.pushed[1].App != s.spec.AppID || shelf.pushed[1].Build != s.spec.ID || shelf.pushed[1].Image.ID != alone.Image.ID {
		t.Errorf("pushed %+v, want the build's image, twice", shelf.pushed)
	}
	if !strings.Contains(strings.Join(r.Steps(), "\n"), "pushing 31 of 100 MB") {
		t.Errorf("got the steps %q, want how far the push is", r.Steps())
	}
}

// The image stays ready: another attempt pushes it, and builds nothing.
func TestBuilder_APushThatFailsIsTriedAgain(t *testing.T) {
	b, s, r := setUp(t, map[string]string{"Dockerfile": dockerfile, "testapp": string(rig.Binary(t))})
	full := cluster.Unavailable("the disk is full at /data")
	shelf := &shelf{refuse: []error{full}}
	b.Images, s.spec.Push = shelf, true

	_, err := b.Build(t.Context(), r)
	again, second := b.Build(t.Context(), r)

	if err == nil || !strings.Contains(err.Error(), "the disk is full at /data") || jobs.IsPermanent(err) {
		t.Errorf("got %v, want the cause, and that it may pass", err)
	}
	if second != nil || again.Image.Pushed != onShelf || len(s.done) != 2 || again.Image.ID != s.done[0].Image.ID {
		t.Errorf("got %+v, %v, recorded %+v, want the first image pushed", again, second, s.done)
	}
}
