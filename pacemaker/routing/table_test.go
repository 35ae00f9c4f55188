package routing

import (
	"maps"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// TestBuildTable_WhatIsAcceptedCanBePublished draws names and addresses that
// the validators accept: the table is published whole or not at all, so one
// record that it refuses would stop all.
func TestBuildTable_WhatIsAcceptedCanBePublished(t *testing.T) {
	var networks []netip.Prefix
	for _, n := range cluster.PrivateNetworks() {
		networks = append(networks, netip.MustParsePrefix(n))
	}
	name := rapid.StringMatching(`[a-z]([a-z0-9-]{0,38}[a-z0-9])?`).Filter(func(s string) bool { return cluster.ValidateName("", s) == nil })
	node := rapid.StringMatching(`[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`)
	host := rapid.StringMatching(`(\*\.)?([a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?\.){1,4}[a-z][a-z0-9]{0,8}`)
	address := rapid.SampledFrom([]string{"10.0.0.1", "172.31.255.254", "192.168.1.1", "100.64.0.1", "fd00::1"})
	rapid.Check(t, func(rt *rapid.T) {
		app := cluster.App{ID: cluster.NewID(), Name: name.Draw(rt, "app"), Requests: cluster.RequestLimits{
			Timeout:     time.Duration(rapid.IntRange(0, 86400).Draw(rt, "timeout")) * time.Second,
			IdleTimeout: time.Duration(rapid.IntRange(0, 86400).Draw(rt, "idle timeout")) * time.Second,
			MaxBody:     rapid.Int64Range(0, 1<<50).Draw(rt, "max body"),
		}}
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

		if got := time.Duration(table[h].IdleTimeout) * time.Second; got != app.Requests.IdleTimeout || table[h].MaxBody != app.Requests.MaxBody {
			rt.Fatalf("limits: got %+v, want %+v", table[h], app.Requests)
		}
		if err := table[h].Validate(networks); err != nil || len(table[h].Groups[0].Instances) != 1 {
			rt.Fatalf("%+v: %v", table[h], err)
		}
	})
}

func TestBuildTable_LeavesOutWhatDoesNotServe(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.Node("n1", cluster.RoleHeart)
	serving, stopped, going := r.App("serving"), r.App("stopped"), r.App("going")
	r.App("empty")
	release := r.Deploy(serving, cluster.ProcessType{Name: "web"}, cluster.ProcessType{Name: "worker"})
	r.Deploy(stopped)
	r.Deploy(going)
	yes := true
	testkit.Must(t, r.Store.Promote(t.Context(), store.Promotion{App: stopped.ID, Stopped: &yes}))
	r.Begin(going, cluster.OpDestroy, cluster.Request{}, store.WithDestroying())
	web := r.Instance(release, "web", n)
	r.Instance(release, "worker", n)
	crashing := r.Instance(release, "web", n)
	r.Reported(n, cluster.InstanceStatus{ID: crashing, State: cluster.InstanceRunning, Crashing: true})

	st, err := r.Store.Routes(t.Context())
	testkit.Must(t, err)
	table := buildTable(st)

	if len(table) != 3 || len(table["empty.test.local"].Groups) != 0 || table["serving.test.local"].Maintenance || !table["stopped.test.local"].Maintenance {
		t.Errorf("got %+v, want the one that serves, the stopped one under maintenance, and the one without a release", table)
	}
	if got := instancesIn(table); len(got) != 1 || !got[web] {
		t.Errorf("got instances %v, want %s alone", got, web)
	}
}

// An instance is reached where it is published: its node's address may be another by now.
func TestBuildTable_HasInstancesWhereTheyArePublished(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.Node("n1", cluster.RoleHeart)
	release := r.Deploy(r.App("shop"))
	old, other := r.Instance(release, "web", n), r.Instance(release, "web", n)
	r.Reported(n, cluster.InstanceStatus{ID: old, State: cluster.InstanceRunning, Address: "172.18.0.1"})

	st, err := r.Store.Routes(t.Context())
	testkit.Must(t, err)

	got := map[string]string{}
	for _, in := range buildTable(st)["shop.test.local"].Groups[0].Instances {
		got[in.ID], _, _ = net.SplitHostPort(in.Addr)
	}
	if want := map[string]string{string(old): "172.18.0.1", string(other): n.Address}; !maps.Equal(got, want) {
		t.Errorf("got instances at %v, want them at %v", got, want)
	}
}

// A name that no app has in the cluster's domain, of now or of before, is nobody's.
func TestBuildTable_NoWildcardAnswersForTheClustersDomains(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	for _, host := range []string{"*.test.local", "*.new.local", "*.deep.new.local", "*.example.org"} {
		_, err := r.Store.AddDomain(t.Context(), app, host, "ann")
		testkit.Must(t, err)
	}
	_, err := r.Store.MoveOwnHosts(t.Context(), func(app string) string { return app + ".new.local" })
	testkit.Must(t, err)
	st, err := r.Store.Routes(t.Context())
	testkit.Must(t, err)

	got := slices.Sorted(maps.Keys(buildTable(st)))

	if want := []string{"*.deep.new.local", "*.example.org", "shop.new.local", "shop.test.local"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
