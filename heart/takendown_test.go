package heart_test

import (
	"slices"
	"testing"
	"time"

	"aorta/heart/docker"
	"aorta/heart/internal/rig"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// An engine without live-restore ends its containers, at its own end or at its next
// start. They have not crashed, whether their heart was there or not, and a start that
// was under way has not failed.
func TestHeart_TakesNoRestartOfTheEngineForACrash(t *testing.T) {
	t.Parallel()
	if !testkit.InOwnNetwork(t) {
		return
	}
	id := cluster.NewID()
	own := rig.OwnEngine(t, id, "--live-restore=false")
	l := labOn(t, rig.EngineAt(t, own.Host, id), id)
	n := l.start()
	runs := l.running(n, "serve", nil)
	worker := l.running(n, "serve", func(s *cluster.InstanceSpec) { s.Type, s.Port = "worker", 0 })
	begins := l.want("silent", nil)
	started := make(chan error, 1)
	go func() { _, err := n.StartInstance(t.Context(), forInstance(begins)); started <- err }()
	l.eventually("a start", func() bool { c, err := l.engine.Inspect(t.Context(), begins); return err == nil && c.Running })
	all := []cluster.ID{runs, worker, begins}
	again := func(end func()) {
		t.Helper()
		var before []time.Time
		for _, id := range all {
			before = append(before, l.inspect(id).StartedAt)
		}
		end()
		for i, id := range all {
			l.eventually("an instance to run again", func() bool {
				c, err := l.engine.Inspect(t.Context(), id)
				s := l.pace.status(id)
				return err == nil && c.Running && c.StartedAt.After(before[i]) && !s.Crashing && s.StartedAt != nil && s.StartedAt.Equal(c.StartedAt)
			})
		}
	}

	again(func() { own.Kill(); own.Start() })
	again(func() { own.Stop(); own.Start() })
	select {
	case err := <-started:
		t.Errorf("a start that goes on has ended: %v", err)
	default:
	}
	_, err := n.StopInstance(testkit.Bounded(t), forInstance(begins))
	testkit.Must(t, err)
	<-started
	all = slices.DeleteFunc(all, func(id cluster.ID) bool { return id == begins })
	again(func() { n.kill(); own.Stop(); own.Start(); n = l.start() })

	l.pace.set(func() {
		if len(l.pace.crashes) > 0 {
			t.Errorf("reported as crashed: %v", l.pace.crashes)
		}
	})
}

// What somebody removes is there again at once, and has not crashed.
func TestHeart_MakesARemovedContainerAgain(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := l.start()
	id := l.running(n, "serve", nil)

	var now docker.Container
	for range 3 {
		before := l.inspect(id)
		testkit.Must(t, l.engine.Remove(t.Context(), id))
		l.eventually("another container", func() bool {
			var err error
			now, err = l.engine.Inspect(t.Context(), id)
			s := l.pace.status(id)
			return err == nil && now.EngineID != before.EngineID && s.StartedAt.Equal(now.StartedAt) && !s.Crashing
		})
	}

	l.pace.set(func() {
		if len(l.pace.crashes) > 0 {
			t.Errorf("reported as crashed: %v", l.pace.crashes)
		}
	})
}
