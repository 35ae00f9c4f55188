package heart_test

import (
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// hangs gives a lab's hearts an engine that answers nothing between hang and thaw.
func (l *lab) hangs() (hang, thaw func()) {
	l.t.Helper()
	proxy := testkit.NewEngineProxy(l.t, testkit.DockerHost())
	l.cfg.DockerHost = proxy.Host
	return proxy.Cut, proxy.Restore
}

// awaitReports waits until so many more reports are answered.
func (l *lab) awaitReports(n int) {
	l.t.Helper()
	before := l.pace.answered()
	l.eventually("reports to be answered", func() bool { return l.pace.answered() >= before+n })
}

// asksInVain: it asks twice more whether it may run, and does not run meanwhile.
func (l *lab) asksInVain(id cluster.ID) {
	l.t.Helper()
	before := l.pace.askedFor(id)
	l.eventually("it to ask twice more", func() bool {
		if l.runs(id) {
			l.t.Fatal("it runs, and is not wanted any more")
		}
		return l.pace.askedFor(id) >= before+2
	})
}

// A node that was cut off while its engine hung is reached again before that goes on: no
// runner has seen it, and another one may run elsewhere.
func TestHeart_AsksAfterALapseThatNoRunnerSaw(t *testing.T) {
	t.Parallel()
	l, _ := watched(t)
	hang, thaw := l.hangs()
	n := l.start()
	id := l.running(n, "serve", stopsCutOff)
	l.eventually("the promise", func() bool { return l.pace.status(id).StopsAfter == 6*time.Second })

	hang()
	l.pace.set(func() { l.pace.away = true })
	l.eventually("its end", func() bool { return !l.runs(id) })
	var spec cluster.InstanceSpec
	l.pace.set(func() { spec = l.pace.specs[id]; delete(l.pace.specs, id); l.pace.away = false })
	l.awaitReports(2)
	thaw()

	l.asksInVain(id)
	testkit.Must(t, l.engine.Start(t.Context(), id)) // as an engine does that was asked to long ago
	l.eventually("its end", func() bool { return !l.runs(id) })
	l.pace.set(func() { l.pace.specs[id] = spec })
	l.eventually("it to run again", func() bool { return l.runs(id) })
	l.wantNoCrash()
}

// The same of one that is being created meanwhile: its promise was given, and there is no
// container to hold to it.
func TestHeart_AsksAfterALapseDuringItsCreation(t *testing.T) {
	t.Parallel()
	l, _ := watched(t)
	n := l.start()
	witness := l.running(n, "serve", stopsCutOff)
	n.kill()
	hold := newCreateHold(t)
	l.cfg.DockerHost = hold.host
	n = l.start()
	id := l.want("serve", stopsCutOff)
	go func() { _, _ = n.StartInstance(t.Context(), forInstance(id)) }() // ends with the test
	<-hold.reached
	l.eventually("the promise", func() bool { return l.pace.status(id).StopsAfter == 6*time.Second })

	l.pace.set(func() { l.pace.away = true })
	l.eventually("the end of another one", func() bool { return !l.runs(witness) })
	l.pace.set(func() { delete(l.pace.specs, id); l.pace.away = false })
	l.awaitReports(2)
	close(hold.release)
	<-hold.created

	l.asksInVain(id)
}

// One that was asked to end is ended, also where the pacemaker is reached again before it
// is time to kill it: it may not work any more.
func TestHeart_EndsWhatItHasAskedToEnd(t *testing.T) {
	t.Parallel()
	l, _ := watched(t)
	l.pace.set(func() { l.pace.answer.DeadAfter = 15 * time.Second })
	n := l.start()
	id := l.running(n, "stubborn", stopsCutOff)
	l.eventually("the promise", func() bool { return l.pace.status(id).StopsAfter == 15*time.Second })
	before := l.inspect(id).StartedAt

	l.pace.set(func() { l.pace.away = true })
	l.eventually("it to be asked", func() bool {
		tail, err := l.engine.Tail(t.Context(), id, 5)
		return err == nil && len(tail) > 0 && tail[len(tail)-1] == "hears SIGTERM and goes on"
	})
	l.pace.set(func() { l.pace.away = false })

	l.eventually("another process", func() bool {
		c, err := l.engine.Inspect(t.Context(), id)
		return err == nil && c.Running && c.StartedAt.After(before)
	})
	l.wantNoCrash()
}

// An answer that does not say after which silence a node counts as dead takes nothing back.
func TestHeart_KeepsItsPromiseThroughAnAnswerWithoutATime(t *testing.T) {
	t.Parallel()
	l, _ := watched(t)
	l.pace.set(func() { l.pace.answer.DeadAfter = time.Hour })
	n := l.start()
	id := l.running(n, "serve", stopsCutOff)
	l.eventually("the promise", func() bool { return l.pace.status(id).StopsAfter == time.Hour })

	l.pace.set(func() { l.pace.answer.DeadAfter = 0 })
	l.awaitReports(3)
	another := l.running(n, "serve", stopsCutOff) // which none does where the node is cut off

	if got := l.pace.status(id).StopsAfter; got != time.Hour {
		t.Errorf("got %s promised, want an hour", got)
	}
	l.eventually("the promise of another one", func() bool { return l.pace.status(another).StopsAfter == time.Hour })
}
