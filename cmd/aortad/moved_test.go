package main_test

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/internal/testkit/lab"
	"aorta/web/wire"
)

// asking asks an app through a host's router, 100 times a second, until it is stopped.
func asking(tb testing.TB, l *lab.Lab, app string, via *lab.Host) (stop func() *lab.Tally) {
	return loading(tb, l, lab.Load{App: app, Rate: 100, Via: []*lab.Host{via}})
}

// loading has a load run until it is stopped.
func loading(tb testing.TB, l *lab.Lab, load lab.Load) (stop func() *lab.Tally) {
	load.For = time.Hour
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan *lab.Tally, 1)
	go func() { // ends with its context
		tally, err := load.Run(ctx, l)
		if err != nil {
			tb.Error(err)
		}
		done <- tally
	}()
	tb.Cleanup(cancel)
	return func() *lab.Tally { cancel(); return <-done }
}

// wantAnswered wants all of a load to be answered well.
func wantAnswered(tb testing.TB, what string, tally *lab.Tally) {
	tb.Helper()
	if tally.OK == 0 || tally.Failed > 0 {
		tb.Errorf("%s: got %d ok and %d failed, want all ok: %v", what, tally.OK, tally.Failed, tally.Causes)
	}
	tb.Logf("%s: %d requests", what, tally.OK)
}

// A cluster of one machine that nobody else could reach is given an address for others:
// what runs there moves to it, and no request fails. Then another host joins.
func TestLab_AnAddressGivenLaterMovesWhatRuns(t *testing.T) {
	t.Parallel()
	specs := lab.Specs(2)
	specs[0].Flags = []string{"--node-address="}
	specs[1].Roles = nil
	l := ownLab(t, nil, specs...)
	n1, n2 := l.Hosts[0], l.Hosts[1]
	c := on(t, n1)
	app := c.newApp("shop", "hello")
	app.deploy()
	c.aorta("ps", "scale", "-a", "shop", "web=2")
	at := func(address string) func(wire.Instance) bool {
		return func(in wire.Instance) bool { return strings.HasPrefix(in.Address, address+":") }
	}
	if list := app.running(2); slices.ContainsFunc(list, at(n1.Address())) {
		t.Fatalf("got %+v before the host has an address for others", list)
	}

	stop := asking(t, l, "shop", n1)
	testkit.Must(t, n1.KillDaemon(testkit.Bounded(t)))
	n1.Flags = nil
	testkit.Must(t, n1.StartDaemon(testkit.Bounded(t)))
	testkit.Eventually(t, "both instances to be at the new address alone", func() bool {
		list := c.ps("shop")
		return len(list) == 2 && !slices.ContainsFunc(list, func(in wire.Instance) bool { return !at(n1.Address())(in) }) &&
			len(asJSON[wire.Status](c, "status").OpenJobs) == 0
	})
	wantAnswered(t, "while they moved", stop())

	for _, name := range []string{"routes", "jobs", "stats"} {
		if got, _, _ := net.SplitHostPort((&cluster{tb: t, dir: n1.Disk()}).recordedAddress("redis_" + name)); got != n1.Address() {
			t.Errorf("the %s Redis is at %s, want it at %s", name, got, n1.Address())
		}
	}
	n2.Roles = []string{"heart", "router"}
	testkit.Must(t, n2.StartDaemon(testkit.Bounded(t)))
	tally, err := lab.Load{App: "shop", Rate: 100, For: time.Second, Via: []*lab.Host{n2}}.Run(testkit.Bounded(t), l)
	testkit.Must(t, err)
	wantAnswered(t, "through the host that joined", tally)
	c.aorta("ps", "scale", "-a", "shop", "web=4")
	if got := app.spread(4); got["n2"] != 2 {
		t.Errorf("got four instances at %v, want two on n2", got)
	}
}

// A node is removed at work under load: what it served is served by the others at once.
func TestLab_ARemovedNodeFailsNoRequest(t *testing.T) {
	t.Parallel()
	l := ownLab(t, nil, lab.Specs(3)...)
	n1, n2, n3 := l.Hosts[0], l.Hosts[1], l.Hosts[2]
	c := on(t, n1)
	app := c.newApp("shop", "hello")
	app.deploy()
	c.aorta("ps", "scale", "-a", "shop", "web=3")
	if at := app.spread(3); at["n2"] != 1 {
		t.Fatalf("got instances at %v, want one on n2", at)
	}

	first, third := asking(t, l, "shop", n1), asking(t, l, "shop", n3)
	c.aorta("nodes", "remove", "n2")
	at := app.spread(3)
	wantAnswered(t, "through n1", first())
	wantAnswered(t, "through n3", third())

	if at["n2"] != 0 {
		t.Errorf("got instances at %v, want none on n2", at)
	}
	testkit.Eventually(t, "the daemon of n2 to say why it ended", func() bool { return strings.Contains(n2.Log(), "is not in the cluster: it was removed") })
}
