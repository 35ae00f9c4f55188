package nodes

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// placed makes a node at an address, which it connects from, with places of its own.
func (r *fixture) placed(name, address string, p cluster.Places, roles ...cluster.Role) cluster.Node {
	r.TB.Helper()
	n := r.Node(name, roles...)
	r.nodes.ComesFrom(n.ID, netip.MustParseAddr(address))
	hello := helloOf(n, "host-"+name, "session-"+name)
	hello.Address = address
	testkit.Must(r.TB, r.nodes.Hello(r.TB.Context(), n, hello))
	r.shows(n, p.Addresses...)
	r.claims(n, 1, address, p)
	return n
}

// shows has a node connect from addresses.
func (r *fixture) shows(n cluster.Node, addresses ...string) {
	r.TB.Helper()
	for _, a := range addresses {
		n, err := r.Store.Node(r.TB.Context(), n.ID)
		testkit.Must(r.TB, err)
		testkit.Must(r.TB, r.nodes.Shows(r.TB.Context(), n, netip.MustParseAddr(a)))
	}
}

func (r *fixture) claims(n cluster.Node, counter uint64, address string, p cluster.Places) *cluster.Neighbours {
	r.TB.Helper()
	a, err := r.claim(n, counter, address, p)
	testkit.Must(r.TB, err)
	return a.Neighbours
}

func (r *fixture) claim(n cluster.Node, counter uint64, address string, p cluster.Places, list ...cluster.InstanceStatus) (cluster.ReportAnswer, error) {
	r.TB.Helper()
	n, err := r.Store.Node(r.TB.Context(), n.ID)
	testkit.Must(r.TB, err)
	said := report(n, counter, true, list...)
	said.Address, said.Places = address, p
	return r.nodes.Report(r.TB.Context(), n, said)
}

var lies = cluster.Places{
	Addresses: []string{
		"10.77.0.3", "192.168.5.3", "fd77::3", "10.77.0.1", "10.77.0.2", "8.8.8.8", "2001:db8::1", "0.0.0.0", "::", "127.0.0.1", "169.254.169.254", "100.100.100.200",
		"fe80::1", "fd00:ec2::254", "224.0.0.1", "ff02::1", "::ffff:10.77.0.1", "192.168.5.1",
	},
	Public: []string{
		"10.77.0.3:80", "192.168.5.3:8080", "[fd77::3]:443", "10.77.0.3:22", "10.77.0.3:7420", "10.77.0.3:7421", "10.77.0.3:0", "10.77.0.1:80", "10.77.0.1:7421",
		"10.77.0.1:10995", "10.77.0.2:8080", "169.254.169.254:80", "100.100.100.200:80", "0.0.0.0:22", "0.0.0.0:8080", "[::]:8080", "192.168.5.1:10995", "10.99.0.1:80",
	},
}

var (
	firstPlaces = cluster.Places{Addresses: []string{"10.77.0.1", "192.168.5.1"}, Public: []string{"10.77.0.1:80"}}
	ownPlaces   = cluster.Places{Addresses: []string{"10.77.0.3", "192.168.5.3", "fd77::3"}, Public: []string{"10.77.0.3:80", "192.168.5.3:8080", "[fd77::3]:443"}}
)

func TestReport_ANodeSpeaksOfItsOwnMachineAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	one := r.placed("n1", "10.77.0.1", firstPlaces, cluster.RoleRouter, cluster.RoleHeart)
	r.placed("n2", "10.77.0.2", cluster.Places{Addresses: []string{"10.77.0.2"}}, cluster.RoleHeart)
	three := r.placed("n3", "10.77.0.3", cluster.Places{}, cluster.RoleRouter, cluster.RoleHeart)

	r.shows(three, "192.168.5.3", "fd77::3")
	r.claims(three, 2, "10.77.0.3", lies)
	got := r.claims(one, 2, "10.77.0.1", firstPlaces)

	want := []cluster.Places{firstPlaces, {Addresses: []string{"10.77.0.2"}}, ownPlaces}
	if diff := cmp.Diff(want, got.Nodes); diff != "" {
		t.Errorf("what nodes are told (-want +got):\n%s", diff)
	}
	stored, err := r.Store.Node(t.Context(), three.ID)
	testkit.Must(t, err)
	if diff := cmp.Diff(ownPlaces, stored.Places); diff != "" {
		t.Errorf("what is stored (-want +got):\n%s", diff)
	}
}

func TestReport_WhatIsStoredIsNotBelievedEither(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	one := r.placed("n1", "10.77.0.1", firstPlaces, cluster.RoleRouter)
	three := r.placed("n3", "10.77.0.3", cluster.Places{}, cluster.RoleRouter)
	three, err := r.Store.Node(t.Context(), three.ID)
	testkit.Must(t, err)
	now := three
	now.Places = lies
	testkit.Must(t, r.Store.UpdateNode(t.Context(), three, now)) // as a version before did

	got := r.claims(one, 2, "10.77.0.1", firstPlaces)

	for _, public := range got.Nodes[1].Public {
		if at := netip.MustParseAddrPort(public); at.Addr().String() != "10.77.0.2" && !strings.Contains(strings.Join(ownPlaces.Public, " "), public) {
			t.Errorf("got %s open for containers", public)
		}
	}
	if p := strings.Join(got.Nodes[1].Addresses, " "); strings.Contains(p, "8.8.8.8") || strings.Contains(p, "0.0.0.0") || strings.Contains(p, "10.77.0.1") {
		t.Errorf("got %s kept from containers", p)
	}
}

func TestReport_ANodeThatIsNoRouterOpensNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.placed("n1", "10.77.0.1", cluster.Places{}, cluster.RoleHeart)
	r.shows(n, firstPlaces.Addresses...)

	got := r.claims(n, 2, "10.77.0.1", firstPlaces)

	if len(got.Nodes[0].Public) != 0 || len(got.Nodes[0].Addresses) != 2 {
		t.Errorf("got %+v, want its addresses alone", got.Nodes[0])
	}
}

func TestReport_NodesOfOneMachineShareItsAddresses(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.placed("n1", "10.77.0.1", firstPlaces, cluster.RoleHeart)
	two := r.placed("n2", "10.77.0.1", firstPlaces, cluster.RoleRouter)
	beside := r.Node("n3", cluster.RoleRouter) // on the pacemaker's machine
	r.nodes.ComesFrom(beside.ID, netip.MustParseAddr("::1"))
	testkit.Must(t, r.nodes.Hello(t.Context(), beside, helloOf(beside, "host", "session-n3")))
	r.claims(beside, 1, "10.77.0.1", firstPlaces)

	got := r.claims(two, 2, "10.77.0.1", firstPlaces)

	if diff := cmp.Diff([]cluster.Places{{Addresses: firstPlaces.Addresses}, firstPlaces, firstPlaces}, got.Nodes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReport_RefusesTheAddressOfAnotherNode(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.placed("n2", "10.77.0.2", cluster.Places{}, cluster.RoleHeart)
	three := r.placed("n3", "10.77.0.3", cluster.Places{}, cluster.RoleHeart)
	elsewhere := running(cluster.NewID())
	elsewhere.Address = "10.77.0.2"
	hello := helloOf(three, "host-n3", "session-4")
	hello.Address = "10.77.0.2"

	_, node := r.claim(three, 2, "10.77.0.2", cluster.Places{})
	_, link := r.claim(three, 3, "169.254.169.254", cluster.Places{})
	_, instance := r.claim(three, 4, "10.77.0.3", cluster.Places{}, elsewhere)
	again := r.nodes.Hello(t.Context(), three, hello)

	for name, err := range map[string]error{"its address": node, "its link's": link, "an instance's": instance, "at hello": again} {
		if cluster.CodeOf(err) != cluster.CodeInvalid {
			t.Errorf("%s: got %v, want it refused", name, err)
		}
	}
	r.nodes.ComesFrom(three.ID, netip.MustParseAddr("10.77.0.2")) // the machine of n2 is gone, and its address has this one now
	r.claims(three, 5, "10.77.0.2", cluster.Places{})
}
