package heart_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"aorta/heart/images"
	"aorta/heart/internal/rig"
	"aorta/pacemaker/cluster"
)

// An image that is nowhere is asked for once by all that miss it; the start after that
// takes the one that came.
func TestHeart_AsksForAnImageThatIsGone(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := l.start()
	gone := cluster.Image{Ref: "aorta/shop:gone", ID: "sha256:" + strings.Repeat("0", 64)}
	op, build := cluster.NewID(), cluster.NewID()
	var ids []cluster.ID
	var grafted []string
	for range 2 {
		id := l.want("serve", func(s *cluster.InstanceSpec) { s.Image, s.Build = gone, build })
		job := &rig.Job{Arguments: cluster.InstanceArgs{Operation: op, Instance: id}}
		if _, err := n.StartInstance(t.Context(), job); err != nil || len(job.Grafted) != 1 {
			t.Fatalf("got %v and %+v added, want that it waits for its image", err, job.Grafted)
		}
		start := job.Grafted[0]
		if start.Kind != cluster.JobStart || len(start.Children) != 1 || start.Children[0].Kind != cluster.JobProvide {
			t.Fatalf("got %+v, want a start after its image is provided", start)
		}
		ids, grafted = append(ids, id), append(grafted, start.ID+start.Children[0].ID)
	}
	if grafted[0] != grafted[1] {
		t.Errorf("got jobs %v, want the same for both instances", grafted)
	}
	again := func(id cluster.ID) error {
		_, err := n.StartInstance(t.Context(), &rig.Job{Arguments: cluster.InstanceArgs{Operation: op, Instance: id, Rebuilt: true}})
		return err
	}

	l.pace.set(func() {
		s := l.pace.specs[ids[0]]
		s.Image = l.image
		l.pace.specs[ids[0]] = s
	})

	if err := again(ids[0]); err != nil || !l.inspect(ids[0]).Running {
		t.Errorf("got %v, want it started from the image that came", err)
	}
	if err := again(ids[1]); err == nil || !strings.Contains(err.Error(), "although a builder has provided it") {
		t.Errorf("got %v, want that the image is still not there", err)
	}
}

// One that ran has no job that could have its image built: it fails, and the
// pacemaker replaces it.
func TestHeart_FailsWhatLostItsContainerAndItsImage(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := l.start()
	id := l.running(n, "serve", func(s *cluster.InstanceSpec) { s.Build = cluster.NewID() })
	n.kill()
	if err := l.engine.Remove(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	rig.LoseImages(t, l.engine)

	l.start()

	l.eventually("the instance to fail", func() bool { return l.pace.status(id).State == cluster.InstanceFailed })
	if s := l.pace.status(id); !strings.Contains(s.Error, "is neither on the Docker engine") {
		t.Errorf("got the error %q, want the image named", s.Error)
	}
}

// settled are the images that a heart had settled.
type settled struct {
	mu     sync.Mutex // guards builds
	builds []cluster.ID
}

func (s *settled) Pull(context.Context, images.Wanted, func(string)) error {
	return errors.New("nothing is to be pulled")
}

func (s *settled) Settle(_ context.Context, want images.Wanted) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.builds = append(s.builds, want.Build)
	return nil
}

// An image that is there may have been pulled by a heart that was killed then.
func TestHeart_SettlesAnImageThatIsThere(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	carrier, build := &settled{}, cluster.NewID()
	l.cfg.Images = carrier

	l.running(l.start(), "serve", func(s *cluster.InstanceSpec) { s.Build, s.Image.Pushed = build, "sha256:"+strings.Repeat("0", 64) })

	carrier.mu.Lock()
	defer carrier.mu.Unlock()
	if !slices.Equal(carrier.builds, []cluster.ID{build}) {
		t.Errorf("got %v settled, want the image of build %s", carrier.builds, build)
	}
}
