package heart_test

import (
	"strings"
	"testing"

	"github.com/moby/moby/client"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// A paused container takes connections and answers none: it is named, and all is
// well once it is resumed.
func TestHeart_NamesAPausedContainer(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := l.start()
	id := l.running(n, "serve", nil)
	engine, err := client.New(client.WithHost(testkit.DockerHost()))
	testkit.Must(t, err)
	t.Cleanup(func() { _ = engine.Close() })

	_, err = engine.ContainerPause(t.Context(), string(id), client.ContainerPauseOptions{})
	testkit.Must(t, err)
	l.eventually("the paused container to be named", func() bool {
		s := l.pace.status(id)
		return s.Crashing && strings.Contains(s.Error, "its container is paused") && strings.Contains(s.Error, "docker unpause "+string(id))
	})
	list, err := l.engine.List(t.Context())
	testkit.Must(t, err)
	_, err = engine.ContainerUnpause(t.Context(), string(id), client.ContainerUnpauseOptions{})
	testkit.Must(t, err)

	l.eventually("it to be in order", func() bool {
		s := l.pace.status(id)
		return s.State == cluster.InstanceRunning && !s.Crashing && s.Error == "" && s.Restarts == 0
	})
	if len(list) != 1 || !list[0].Running || !list[0].Paused {
		t.Errorf("got %+v listed, want it as one that lives", list)
	}
}
