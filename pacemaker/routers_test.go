package pacemaker

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
	"aorta/router"
)

func TestRouters_AllAcked(t *testing.T) {
	t.Parallel()
	const wanted = 5
	for name, c := range map[string]struct {
		roles  []cluster.Role
		report *cluster.RouterReport
		later  time.Duration // since the report, or since the start
		done   bool
		gaveUp bool
	}{
		"no router":                  {[]cluster.Role{cluster.RoleHeart}, nil, 0, true, false},
		"not heard yet":              {[]cluster.Role{cluster.RoleRouter}, nil, 4 * time.Second, false, false},
		"never heard":                {[]cluster.Role{cluster.RoleRouter}, nil, 5 * time.Second, true, true},
		"an older one":               {[]cluster.Role{cluster.RoleRouter}, &cluster.RouterReport{Epoch: testEpoch, Generation: wanted - 1}, 4 * time.Second, false, false},
		"an older one, then silence": {[]cluster.Role{cluster.RoleRouter}, &cluster.RouterReport{Epoch: testEpoch, Generation: wanted - 1}, 5 * time.Second, true, true},
		"of an older epoch":          {[]cluster.Role{cluster.RoleRouter}, &cluster.RouterReport{Epoch: testEpoch - 1, Generation: wanted + 9}, 0, false, false},
		"this one":                   {[]cluster.Role{cluster.RoleRouter}, &cluster.RouterReport{Epoch: testEpoch, Generation: wanted}, 0, true, false},
		"this one, then silence":     {[]cluster.Role{cluster.RoleRouter}, &cluster.RouterReport{Epoch: testEpoch, Generation: wanted}, time.Hour, true, false},
		"a later one":                {[]cluster.Role{cluster.RoleHeart, cluster.RoleRouter}, &cluster.RouterReport{Epoch: testEpoch, Generation: wanted + 1}, 0, true, false},
	} {
		r := newRig(t)
		n := r.newNode("n1", c.roles...)
		if c.report != nil {
			must(t, r.RouterReported(n, *c.report))
		}
		r.clock.forward(c.later)

		done, gaveUp := r.routers.allAcked([]cluster.Node{n}, router.Pair{Epoch: testEpoch, Generation: wanted})

		if done != c.done || (len(gaveUp) == 1) != c.gaveUp {
			t.Errorf("%s: got done %t, gave up on %v; want %t, %t", name, done, gaveUp, c.done, c.gaveUp)
		}
	}
}

func TestRouters_AHigherEpochIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.newNode("n1", cluster.RoleRouter)

	err := r.RouterReported(n, cluster.RouterReport{Epoch: testEpoch + 1})

	if cluster.CodeOf(err) != cluster.CodeUnavailable || !strings.Contains(err.Error(), "restart aortad") {
		t.Errorf("got %v, want what to do about it", err)
	}
	if r.RouterGeneration(n.ID) != 0 {
		t.Error("got it counted as an ack, want not")
	}
}

func TestRouters_WaitAcksSaysWhomItGaveUpOn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.newNode("n1", cluster.RoleRouter)
	r.clock.forward(time.Minute)
	var said []string

	err := r.waitAcks(t.Context(), router.Pair{Epoch: testEpoch, Generation: 1}, func(s string) { said = append(said, s) })

	if err != nil || len(said) != 1 || !strings.Contains(said[0], "n1") {
		t.Errorf("got %v, %q, want it to go on and name n1", err, said)
	}
}

func TestRouters_InflightCountsLiveOnesOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	one, two := r.newNode("n1", cluster.RoleRouter), r.newNode("n2", cluster.RoleRouter)
	id := cluster.NewID()
	must(t, r.RouterReported(one, cluster.RouterReport{Inflight: map[cluster.ID]int64{id: 3}}))
	r.clock.forward(4 * time.Second)
	must(t, r.RouterReported(two, cluster.RouterReport{Inflight: map[cluster.ID]int64{id: 2}}))
	nodes := []cluster.Node{one, two}

	both := r.routers.inflight(id, nodes)
	r.clock.forward(time.Second)
	left := r.routers.inflight(id, nodes)

	if both != 5 || left != 2 {
		t.Errorf("got %d, then %d once one was silent; want 5, then 2", both, left)
	}
}

// TestBuildTable_WhatTheDoorsLetInCanBePublished draws names and addresses that
// the validators accept: the table is published whole or not at all, so one
// record that it refuses would stop all.
func TestBuildTable_WhatTheDoorsLetInCanBePublished(t *testing.T) {
	var networks []netip.Prefix
	for _, n := range cluster.PrivateNetworks() {
		networks = append(networks, netip.MustParsePrefix(n))
	}
	name := rapid.StringMatching(`[a-z]([a-z0-9-]{0,38}[a-z0-9])?`).Filter(func(s string) bool { return cluster.ValidateName("", s) == nil })
	node := rapid.StringMatching(`[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`)
	host := rapid.StringMatching(`(\*\.)?([a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?\.){1,4}[a-z0-9]{1,9}`)
	address := rapid.SampledFrom([]string{"10.0.0.1", "172.31.255.254", "192.168.1.1", "100.64.0.1", "169.254.1.1", "fd00::1"})
	rapid.Check(t, func(rt *rapid.T) {
		app := cluster.App{ID: cluster.NewID(), Name: name.Draw(rt, "app")}
		n := cluster.Node{ID: cluster.NewID(), Name: node.Draw(rt, "node"), Address: address.Draw(rt, "address")}
		release, h := cluster.NewID(), host.Draw(rt, "host")
		number := rapid.IntRange(1, 99999).Draw(rt, "release")
		for _, err := range []error{cluster.ValidateNodeName("", n.Name), cluster.ValidateHost("", h), cluster.ValidateNodeAddress("", n.Address)} {
			if err != nil {
				rt.Fatal(err)
			}
		}

		table := buildTable(store.RouteState{
			Apps: map[cluster.ID]cluster.App{app.ID: app}, Nodes: map[cluster.ID]cluster.Node{n.ID: n},
			Domains: []cluster.Domain{{Host: h, AppID: app.ID}}, Labels: map[cluster.ID]string{release: cluster.ReleaseLabel(number)},
			Weights: map[cluster.ID][]cluster.Weight{app.ID: {{Release: release, Weight: cluster.FullWeight}}},
			Serving: []cluster.Instance{{ID: cluster.NewID(), AppID: app.ID, ReleaseID: release, Type: cluster.WebType, NodeID: n.ID, Port: store.LastPort}},
		})

		if err := table[h].Validate(networks); err != nil || len(table[h].Groups[0].Instances) != 1 {
			rt.Fatalf("%+v: %v", table[h], err)
		}
	})
}

func TestBuildTable_LeavesOutWhatDoesNotServe(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.newNode("n1", cluster.RoleHeart)
	serving, stopped, going := r.newApp("serving"), r.newApp("stopped"), r.newApp("going")
	r.newApp("empty")
	release := r.deploy(serving, cluster.ProcessType{Name: "web"}, cluster.ProcessType{Name: "worker"})
	r.deploy(stopped)
	r.deploy(going)
	yes := true
	must(t, r.store.Promote(t.Context(), store.Promotion{App: stopped.ID, Stopped: &yes}))
	_, err := r.DestroyApp(t.Context(), going, "going", "admin")
	must(t, err)
	web := r.instance(release, "web", n)
	r.instance(release, "worker", n)
	crashing := r.instance(release, "web", n)
	_, _, err = r.store.ApplyReport(t.Context(), n.ID, []cluster.InstanceStatus{{ID: crashing, State: cluster.InstanceRunning, Crashing: true}})
	must(t, err)

	st, err := r.store.Routes(t.Context())
	must(t, err)
	table := buildTable(st)

	if len(table) != 2 || table["serving.test.local"].Maintenance || !table["stopped.test.local"].Maintenance {
		t.Errorf("got %+v, want the one that serves, and the stopped one under maintenance", table)
	}
	if got := instancesIn(table); len(got) != 1 || !got[web] {
		t.Errorf("got instances %v, want %s alone", got, web)
	}
}

func TestMakeRelease_KeepsOutOfTheClustersOwnDomain(t *testing.T) {
	t.Parallel()
	r := newRig(t)

	for host, want := range map[string]bool{
		"other.test.local": false, "test.local": false, "*.test.local": false, "a.shop.test.local": false,
		"shop.test.local": true, "shop.example.com": true, "nottest.local": true,
	} {
		if err := r.allowedHosts(cluster.App{Name: "shop"}, []string{host}); (err == nil) != want {
			t.Errorf("%s: got %v, want it let in: %t", host, err, want)
		}
	}
}

func FuzzParseMark(f *testing.F) {
	id := string(cluster.NewID())
	for _, s := range []string{"", "0", "12", "12," + id + "=12-0", "12," + id + "=13-1," + id + "=14-0", "12,", "x", "12,a=1-1", "-1", "12," + id + "=12"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := ParseMark("id", s)
		if err != nil {
			if cluster.CodeOf(err) != cluster.CodeInvalid {
				t.Errorf("%q: got %v, want it invalid", s, err)
			}
			return
		}

		again, err := ParseMark("id", m.String())

		if err != nil || again.String() != m.String() {
			t.Errorf("%q: got %q (%v), want it stable", s, again, err)
		}
		for job, cursor := range m.jobs {
			if cursorLess(m.of(job), cursor) {
				t.Errorf("%q: job %s goes on after %s, want not before %s", s, job, m.of(job), cursor)
			}
		}
	})
}

func TestBell_WakesWhoeverWaits(t *testing.T) {
	b := newBell()
	n := 0
	asked := make(chan struct{}, 10)
	done := make(chan error, 1)
	go func() {
		done <- b.until(context.Background(), func() (bool, error) {
			n++
			asked <- struct{}{}
			return n == 3, nil
		})
	}()

	for range 2 {
		<-asked
		b.ring()
	}

	must(t, <-done)
	if n != 3 {
		t.Errorf("got it asked %d times, want 3", n)
	}
}
