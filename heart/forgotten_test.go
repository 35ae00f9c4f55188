package heart_test

import (
	"errors"
	"syscall"
	"testing"

	"github.com/moby/moby/client"

	"aorta/heart"
	"aorta/heart/docker"
	"aorta/heart/internal/rig"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// An engine that has lost its data knows nothing of processes that live on. They end,
// so that none works beside the one in its place.
func TestHeart_EndsWhatItsEngineHasForgotten(t *testing.T) {
	t.Parallel()
	if !testkit.InOwnNetwork(t) {
		return
	}
	id := cluster.NewID()
	own := rig.OwnEngine(t, id)
	l := labOn(t, rig.EngineAt(t, own.Host, id), id)
	n := l.start()
	brief := func(s *cluster.InstanceSpec) { s.StopGrace = 1 }
	runs, stops := l.running(n, "serve", nil), l.running(n, "stubborn", brief)
	worker := l.running(n, "serve", func(s *cluster.InstanceSpec) { s.Type, s.Port = "worker", 0 })
	pids := []int{l.inspect(runs).Pid, l.inspect(stops).Pid, l.inspect(worker).Pid}

	own.Empty()

	if _, err := n.StopInstance(testkit.Bounded(t), forInstance(stops)); err != nil {
		t.Errorf("stop: %v", err)
	}
	for _, pid := range pids {
		l.eventually("the end of a forgotten process", func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) })
	}
}

// Somebody renames containers: they stay their instances', and end with them.
func TestHeart_KnowsARenamedContainer(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := l.start()
	id := l.running(n, "serve", nil)
	before := l.inspect(id)
	raw, err := client.New(client.WithHost(testkit.DockerHost()))
	testkit.Must(t, err)
	defer raw.Close()
	rename := func() {
		t.Helper()
		_, err := raw.ContainerRename(t.Context(), before.EngineID, client.ContainerRenameOptions{NewName: "mine-" + id.Short()})
		testkit.Must(t, err)
	}

	rename()
	l.eventually("the container to have its name again", func() bool {
		_, err := l.engine.Inspect(t.Context(), id)
		return err == nil
	})
	if s, c := l.pace.status(id), l.inspect(id); s.Restarts != 0 || s.Crashing || c.Pid != before.Pid {
		t.Errorf("got %+v and process %d, want process %d to go on", s, c.Pid, before.Pid)
	}

	n.kill()
	rename()
	ended, err := heart.StopAll(t.Context(), l.engine, "n1", l.cfg.DataDir, testkit.Hang)
	left, listed := l.engine.List(t.Context())
	if err != nil || listed != nil || ended != 1 || len(left) != 0 {
		t.Errorf("ended %d containers, %v, and %v, %v are left, want one and none", ended, err, left, listed)
	}
}

// A heart of before started another container in a renamed one's place.
func TestHeart_RemovesTheOlderOfTwoContainersOfAnInstance(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := l.start()
	id := l.running(n, "serve", nil)
	n.kill()
	raw, err := client.New(client.WithHost(testkit.DockerHost()))
	testkit.Must(t, err)
	defer raw.Close()
	_, err = raw.ContainerRename(t.Context(), string(id), client.ContainerRenameOptions{NewName: "mine-" + id.Short()})
	testkit.Must(t, err)
	_, err = l.engine.Create(t.Context(), docker.Launch{Spec: cluster.InstanceSpec{ID: id, Type: "web", Node: "n1", Image: l.image}})
	testkit.Must(t, err)
	before := l.inspect(id)

	l.start()
	list, err := l.engine.List(t.Context())

	if err != nil || len(list) != 1 || list[0].EngineID != before.EngineID {
		t.Errorf("got %+v, %v, want %s alone", list, err, before.EngineID)
	}
}
