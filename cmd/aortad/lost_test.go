package main_test

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/internal/testkit/lab"
	"aorta/web/wire"
)

// A host is lost at 200 requests a second, first behind a link that says nothing, then
// without power. What may be sent again has its answer, and what may not fails only
// where it was in flight on that host. Once the routers know, nothing waits for it.
func TestLab_ALostHostFailsOnlyWhatIsInFlightThere(t *testing.T) {
	t.Parallel()
	specs := lab.Specs(3)
	specs[0].Flags = []string{"--dead-after=1h"} // what ran on n3 is to be there when it is back
	l := ownLab(t, nil, specs...)
	n3 := l.Hosts[2]
	c := on(t, l.Pacemaker())
	app := c.newApp("shop", "hello")
	app.deploy()
	c.aorta("ps", "scale", "-a", "shop", "web=3")
	for _, fault := range []struct {
		what string
		lose func(context.Context) error
	}{
		{"behind a link that says nothing", func(ctx context.Context) error { return l.Cut(ctx, lab.Cut{A: "n3"}) }},
		{"without power", n3.Kill},
	} {
		testkit.Must(t, l.Heal(testkit.Bounded(t)))
		if at := app.spread(3); at["n3"] != 1 {
			t.Fatalf("got instances at %v, want one on n3", at)
		}
		for _, via := range l.Hosts[:2] {
			outside := on(t, via)
			outside.room = l.Clients
			(&project{c: outside, name: "shop", dir: outside.dir}).answering(3)
		}
		outlive(t, l, fault.what, fault.lose)
	}
}

// A link between two nodes breaks that both report: the router at one end goes around
// it, and aorta status names the two.
func TestLab_ABrokenLinkBetweenTwoNodesIsNamed(t *testing.T) {
	t.Parallel()
	l := four.use(t)
	c := on(t, l.Pacemaker())
	c.aorta("ps", "scale", "-a", "shop", "web=4")
	app := &project{c: c, name: "shop", dir: c.dir}
	t.Cleanup(func() { c.aorta("ps", "scale", "-a", "shop", "web=1") })
	if at := app.spread(4); at["n3"] == 0 {
		t.Fatalf("got instances at %v, want one on n3", at)
	}
	status := func(what string) bool {
		return slices.ContainsFunc(asJSON[wire.Status](c, "status").Reasons, func(r string) bool { return strings.Contains(r, what) })
	}

	stop := asking(t, l, "shop", l.Hosts[1])
	testkit.Must(t, l.Cut(testkit.Bounded(t), lab.Cut{A: "n2", B: "n3"}))
	testkit.Eventually(t, "aorta status to name the two", func() bool { return status("The router on n2 does not reach node n3 at 10.77.0.3") })
	testkit.Must(t, l.Heal(testkit.Bounded(t)))
	testkit.Eventually(t, "aorta status to be content", func() bool { return !status("does not reach") })

	wantAnswered(t, "through n2", stop())
}

// outlive loses n3 under load through the routers of the others.
func outlive(t *testing.T, l *lab.Lab, what string, lose func(context.Context) error) {
	via := l.Hosts[:2]
	get, post := loading(t, l, lab.Load{App: "shop", Rate: 100, Via: via}), loading(t, l, lab.Load{App: "shop", Rate: 100, Via: via, Post: true})
	_, err := lab.Load{App: "shop", Rate: 20, For: time.Second, Via: via}.Run(testkit.Bounded(t), l)
	testkit.Must(t, err)
	before := []int{knownLost(via[0], "10.77.0.3"), knownLost(via[1], "10.77.0.3")}

	cost := &lab.Cost{Fault: "F7: a host is lost " + what}
	began := lab.Now()
	cost.Strikes()
	testkit.Must(t, lose(testkit.Bounded(t)))
	testkit.Eventually(t, "both routers to know that n3 is lost", func() bool {
		return knownLost(via[0], "10.77.0.3") > before[0] && knownLost(via[1], "10.77.0.3") > before[1]
	})
	known := began.Passed()
	cost.Known()
	after, err := lab.Load{App: "shop", Rate: 200, For: 2 * time.Second, Via: via, Post: true}.Run(testkit.Bounded(t), l)
	testkit.Must(t, err)
	gets, posts := get(), post()
	cost.Gets, cost.Posts = gets, posts

	wantAnswered(t, "a host "+what+", POSTs once routers know", after)
	wantAnswered(t, "a host "+what+", GETs from before", gets)
	for cause := range posts.Causes {
		if !inFlight(cause) {
			t.Errorf("a host %s: a POST failed by %q", what, cause)
		}
	}
	t.Logf("%s; routers knew after %s, and from 2 s on %s", cost, known, began.Since(2*time.Second, gets, posts))
	costs.Add(cost)
}

// knownLost counts how often the router of a host has found a machine lost.
func knownLost(via *lab.Host, machine string) int {
	log, _ := os.ReadFile(filepath.Join(via.Disk(), "data", "router", "nginx.log"))
	return strings.Count(string(log), "machine "+machine+" does not answer")
}

// While a host was without power, every instance of an app has become another one. Its
// router knows that by the time it takes requests.
func TestLab_ARouterThatBootsServesNoOldTable(t *testing.T) {
	t.Parallel()
	l := four.use(t)
	app := &project{c: on(t, l.Pacemaker()), name: "shop"}
	has := slices.Collect(maps.Keys(app.spread(1)))[0]
	host := l.Hosts[slices.IndexFunc(l.Hosts, func(h *lab.Host) bool { return h != l.Pacemaker() && h.Name != has })]

	testkit.Must(t, host.Kill(testkit.Bounded(t)))
	testkit.Eventually(t, host.Name+" to be missed", func() bool { return app.c.states()[host.Name] != "ready" }) // else an instance may be placed there
	app.c.aorta("ps", "restart", "-a", "shop")
	testkit.Eventually(t, "the instance of before to be gone", func() bool { return len(app.c.ps("shop")) == 1 })
	stop := asking(t, l, "shop", host)
	testkit.Must(t, host.Boot(testkit.Bounded(t)))
	four.ready(t)
	tally := stop()

	for _, a := range tally.Answers {
		if a.Status != 0 && !a.OK {
			t.Fatalf("a router that had just begun answered %s", a.Cause)
		}
	}
	if tally.OK == 0 {
		t.Errorf("the router of %s answered nothing after its boot: %v", host.Name, tally.Causes)
	}
}
