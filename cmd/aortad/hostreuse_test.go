package main_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/internal/testkit/lab"
)

// A router that is cut off from the pacemaker sends an app's requests to where its
// instance was. That address goes to no other app meanwhile, not even by a pacemaker
// whose database has lost who had it: the heart there remembers.
func TestLab_AnAddressThatACutOffRouterKnowsGoesToNoOtherApp(t *testing.T) {
	t.Parallel()
	l := besieged.use(t)
	n1, n2, n3 := l.Hosts[0], l.Hosts[1], l.Hosts[2]
	c := on(t, n1)
	c.aorta("nodes", "tag", n2.Name, "reused")
	next := c.newApp("next", "hello").only(t, "reused")
	old := c.newApp("old", "hello").only(t, "reused") // gets the port after that of next
	had, first := old.running(1)[0], next.running(1)[0]
	cost := &lab.Cost{Fault: "F23: an address that a cut-off router knows is given out again"}

	testkit.Must(t, l.Cut(testkit.Bounded(t), lab.Cut{A: n1.Name, B: n3.Name}))
	cost.Strikes()
	get := loading(t, l, lab.Load{App: "old", Rate: 50, Via: []*lab.Host{n3}})
	gets, posts := loading(t, l, lab.Load{App: "next", Rate: 50, Via: []*lab.Host{n2}}), loading(t, l, lab.Load{App: "next", Rate: 20, Via: []*lab.Host{n2}, Post: true})
	at := on(t, n2)
	c.aorta("ps", "stop", "-a", "old")
	testkit.Eventually(t, "the container of old to be gone", func() bool { return len((&project{c: at, name: "old"}).containers()) == 0 })
	forgetPort(t, n1, had.ID)
	c.aorta("ps", "scale", "-a", "next", "web=2")
	cost.Whole()
	later, err := lab.Load{App: "old", Rate: 100, For: time.Second, Via: []*lab.Host{n3}}.Run(testkit.Bounded(t), l)
	testkit.Must(t, err)
	wrong := get()
	cost.Gets, cost.Posts = gets(), posts()

	for _, in := range next.running(2) {
		if in.Address == had.Address || in.ID != first.ID && in.Node != n2.Name {
			t.Errorf("got an instance of next at %s on %s, want it on n2 elsewhere than old was, at %s", in.Address, in.Node, had.Address)
		}
	}
	if want := "refused=" + portOf(t, had.Address); !strings.Contains(n2.Log(), want) {
		t.Errorf("the heart was never asked for the port, so this tells nothing: want %q in\n%s", want, tail(n2.Log(), 3000))
	}
	for _, tally := range []*lab.Tally{wrong, later} {
		for cause, n := range tally.Causes {
			if strings.Contains(cause, "the wrong answer") {
				t.Errorf("of old, through the router that was cut off: %d times %s", n, cause)
			}
		}
	}
	wantAnswered(t, "next, GET", cost.Gets)
	wantAnswered(t, "next, POST", cost.Posts)
	t.Log(cost)
	costs.Add(cost)
	testkit.Must(t, l.Heal(testkit.Bounded(t)))
	next.destroy()
	old.destroy()
}

// only deploys the app onto nodes with a tag.
func (p *project) only(tb testing.TB, tag string) *project {
	tb.Helper()
	p.write("aorta.yml", "processes: {web: {tags: {require: ["+tag+"]}}}\n")
	p.commit("only on " + tag)
	p.deploy()
	return p
}

// forgetPort takes from the pacemaker's database that an instance had its port.
func forgetPort(tb testing.TB, pacemaker *lab.Host, instance string) {
	tb.Helper()
	testkit.Must(tb, pacemaker.KillDaemon(testkit.Bounded(tb)))
	db, err := sql.Open("sqlite", "file:"+filepath.Join(pacemaker.Disk(), "data", "aorta.db"))
	testkit.Must(tb, err)
	done, err := db.ExecContext(testkit.Bounded(tb), "DELETE FROM ports WHERE instance_id = ?", instance)
	testkit.Must(tb, err)
	if n, err := done.RowsAffected(); n != 1 || err != nil {
		tb.Errorf("got %d ports of the instance forgotten, %v; want one", n, err)
	}
	testkit.Must(tb, db.Close())
	testkit.Must(tb, pacemaker.StartDaemon(testkit.Bounded(tb)))
}
