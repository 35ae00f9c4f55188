package heart_test

import (
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// What is exclusive is not started from a record alone: a new heart asks first, and what
// is not wanted any more stays down. After a crash before its eyes, it asks nobody.
func TestHeart_AsksBeforeItStartsWhatIsExclusive(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := l.start()
	id := l.running(n, "serve", func(s *cluster.InstanceSpec) { s.Exclusive = true })
	runs := func() bool { c, err := l.engine.Inspect(t.Context(), id); return err == nil && c.Running }
	kill := func() {
		t.Helper()
		before := l.inspect(id).StartedAt
		testkit.Must(t, l.engine.Signal(t.Context(), id, "SIGKILL"))
		l.eventually("its end", func() bool {
			c, err := l.engine.Inspect(t.Context(), id)
			return err == nil && (!c.Running || c.StartedAt.After(before))
		})
	}
	asksInVain := func(when string) {
		t.Helper()
		before := l.pace.askedFor(id)
		l.eventually(when+", it to ask twice more", func() bool { return l.pace.askedFor(id) >= before+2 })
		if runs() {
			t.Errorf("%s: it runs without leave", when)
		}
	}

	l.pace.set(func() { l.pace.away = true })
	kill()
	l.eventually("it to run again after a crash while the pacemaker is away", runs)

	n.kill()
	kill()
	l.start()
	asksInVain("while the pacemaker is away")
	var spec cluster.InstanceSpec
	l.pace.set(func() { spec = l.pace.specs[id]; delete(l.pace.specs, id); l.pace.away = false })
	asksInVain("while it is not wanted")
	l.pace.set(func() { l.pace.specs[id] = spec })
	l.eventually("it to run once the pacemaker says so", runs)
}
