package nodes

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// named is what the firewalls of all nodes take for the addresses of one.
func (r *fixture) named(n cluster.Node) []string {
	r.TB.Helper()
	all, err := r.nodes.members.now(r.TB.Context())
	testkit.Must(r.TB, err)
	i := slices.IndexFunc(all.list, func(o cluster.Node) bool { return o.ID == n.ID })
	return all.neighbours.Nodes[i].Addresses
}

func (r *fixture) stored(n cluster.Node) cluster.Node {
	r.TB.Helper()
	n, err := r.Store.Node(r.TB.Context(), n.ID)
	testkit.Must(r.TB, err)
	return n
}

// Who is root on a node says what he likes. Nobody else's containers are kept from a
// machine by it, and no request is sent there.
func TestShown_ANodeTakesNoAddressByItsWord(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	beside := r.Node("n1", cluster.RoleHeart)
	r.nodes.ComesFrom(beside.ID, netip.IPv6Loopback())
	testkit.Must(t, r.nodes.Hello(t.Context(), beside, helloOf(beside, "host-n1", "session-n1")))
	r.claims(beside, 1, "10.77.0.1", firstPlaces)
	r.placed("n2", "10.77.0.2", cluster.Places{}, cluster.RoleHeart)
	three := r.placed("n3", "10.77.0.3", cluster.Places{}, cluster.RoleRouter, cluster.RoleHeart)
	database := []string{"10.0.0.9", "fd00::9", "192.168.7.7"}

	a, err := r.claim(three, 2, "10.0.0.9", cluster.Places{Addresses: append(database, lies.Addresses...), Public: []string{"10.0.0.9:5432"}})
	testkit.Must(t, err)

	if got := r.named(three); !slices.Equal(got, []string{"10.77.0.3"}) {
		t.Errorf("firewalls have %v, want where it connects from alone", got)
	}
	if got := r.stored(three); got.Address != "10.77.0.3" || len(got.Places.Public) != 0 {
		t.Errorf("got %s, %v, want what it had", got.Address, got.Places)
	}
	for _, other := range []string{"10.77.0.3", "8.8.8.8", "2001:db8::1", "127.0.0.1", "169.254.169.254", "fe80::1", "224.0.0.1", "ff02::1", "::ffff:10.77.0.1"} {
		if slices.Contains(a.Show, other) {
			t.Errorf("it is asked to show %s", other)
		}
	}
	heard, _ := r.nodes.Heard(three)
	if beside, _ := r.nodes.Heard(beside); heard.From != "10.77.0.3" || beside.From != "" {
		t.Errorf("people hear that it comes from %q, and the pacemaker's own node from %q; want 10.77.0.3 and nothing", heard.From, beside.From)
	}
	if heard.Address != "10.0.0.9" || !slices.Equal(heard.Unshown, a.Show) || !slices.Contains(a.Show, "fd00::9") {
		t.Errorf("people hear of %q and %v, want what it is to show: %v", heard.Address, heard.Unshown, a.Show)
	}
}

func TestShows_RefusesWhatIsNotOneMachinesAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.placed("n1", "10.77.0.1", cluster.Places{}, cluster.RoleHeart)

	for _, a := range []string{"169.254.169.254", "fd00:ec2::254", "fe80::1", "224.0.0.1", "ff02::1", "0.0.0.0", "::", "100.100.100.200"} {
		if err := r.nodes.Shows(t.Context(), n, netip.MustParseAddr(a)); cluster.CodeOf(err) != cluster.CodeInvalid {
			t.Errorf("%s: got %v, want it refused", a, err)
		}
	}
	testkit.Must(t, r.nodes.Shows(t.Context(), n, netip.IPv6Loopback())) // shows nothing
	if got := r.stored(n).Shown; slices.Contains(got, "::1") {
		t.Errorf("got %v shown", got)
	}
}

func TestShows_IsBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.placed("n1", "10.77.0.1", cluster.Places{}, cluster.RoleHeart)
	at := netip.MustParseAddr("10.1.0.0")
	var err error

	for range mostShown + 1 {
		at = at.Next()
		n = r.stored(n)
		err = r.nodes.Shows(t.Context(), n, at)
	}

	if got := len(r.stored(n).Shown); cluster.CodeOf(err) != cluster.CodeInvalid || got != mostShown {
		t.Errorf("got %d shown and %v, want %d and no more", got, err, mostShown)
	}
}

// A node has an address that it shows later, with what was told of it meanwhile.
func TestShown_InstancesAreRoutedOnceTheirAddressIs(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.placed("n1", "10.77.0.1", cluster.Places{}, cluster.RoleHeart)
	in := r.instance(n)
	at := running(in)
	at.Address = "10.77.0.9"
	address := func() string {
		got, err := r.Store.Instance(t.Context(), in)
		testkit.Must(t, err)
		return string(got.State) + " " + got.Address
	}

	_, err := r.claim(n, 2, "10.77.0.9", cluster.Places{}, at)
	testkit.Must(t, err)
	before := address()
	r.shows(n, "10.77.0.9")
	said := report(r.stored(n), 3, false)
	said.Address, said.Digest = "10.77.0.9", cluster.InstanceDigest([]cluster.InstanceStatus{at})
	_, err = r.nodes.Report(t.Context(), r.stored(n), said)
	testkit.Must(t, err)

	if before != "assigned " || address() != "running 10.77.0.9" || r.stored(n).Address != "10.77.0.9" {
		t.Errorf("got %q before, %q and %s after it was shown", before, address(), r.stored(n).Address)
	}
}

// What runs where it was published before goes on being heard of.
func TestShown_WhatIsAtTheFormerAddressIsHeard(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.placed("n1", "10.77.0.1", cluster.Places{}, cluster.RoleHeart)
	in := r.instance(n)
	at := running(in)
	at.Address = "10.77.0.1"
	_, err := r.claim(n, 2, "10.77.0.1", cluster.Places{}, at)
	testkit.Must(t, err)
	r.nodes.ComesFrom(n.ID, netip.MustParseAddr("10.77.0.9"))
	at.State, at.Error = cluster.InstanceFailed, "it ended"

	for counter := range uint64(2) { // the first moves the node, and forgets where it was
		_, err = r.claim(n, 3+counter, "10.77.0.9", cluster.Places{Addresses: []string{"10.77.0.9"}}, at)
		testkit.Must(t, err)
	}

	got, err := r.Store.Instance(t.Context(), in)
	testkit.Must(t, err)
	if got.State != cluster.InstanceFailed || slices.Contains(r.stored(n).Shown, "10.77.0.1") {
		t.Errorf("got %s, shown %v", got.State, r.stored(n).Shown)
	}
}

// A machine is gone and another one has its address: who shows it last has it, until the
// first shows it again.
func TestShown_WhoShowsItLastHasIt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	moving := cluster.Places{Addresses: []string{"192.168.5.1"}}
	two := r.placed("n2", "10.77.0.2", moving, cluster.RoleHeart)
	three := r.placed("n3", "10.77.0.3", cluster.Places{}, cluster.RoleHeart)
	has := func() []bool {
		return []bool{slices.Contains(r.named(two), "192.168.5.1"), slices.Contains(r.named(three), "192.168.5.1")}
	}
	counter := uint64(1)
	report := func() {
		counter++
		r.claims(two, counter, "10.77.0.2", moving)
		r.claims(three, counter, "10.77.0.3", moving)
	}
	var got [][]bool

	for _, by := range []*cluster.Node{nil, &three, &two} {
		if by != nil {
			r.shows(*by, "192.168.5.1")
		}
		report()
		got = append(got, has())
	}

	if diff := cmp.Diff([][]bool{{true, false}, {false, true}, {true, false}}, got); diff != "" {
		t.Errorf("n2 and n3 (-want +got):\n%s", diff)
	}
}

// The address of a node that has another machine now is that machine's.
func TestShown_AnAddressMovesToTheMachineThatHasIt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	two := r.placed("n2", "10.77.0.2", cluster.Places{}, cluster.RoleHeart)
	three := r.placed("n3", "10.77.0.3", cluster.Places{}, cluster.RoleHeart)
	_, before := r.claim(three, 2, "10.77.0.2", cluster.Places{})

	r.shows(three, "10.77.0.2")
	_, after := r.claim(three, 3, "10.77.0.2", cluster.Places{})

	testkit.Must(t, after)
	if cluster.CodeOf(before) != cluster.CodeInvalid || r.stored(three).Address != "10.77.0.2" {
		t.Errorf("got %v, and then %s", before, r.stored(three).Address)
	}
	r.nodes.ComesFrom(two.ID, netip.MustParseAddr("10.77.0.8"))
	a, err := r.claim(two, 2, "10.77.0.8", cluster.Places{Addresses: []string{"10.77.0.2", "10.77.0.8"}})
	testkit.Must(t, err)
	if got := r.named(two); !slices.Equal(got, []string{"10.77.0.8"}) || !slices.Equal(a.Show, []string{"10.77.0.2"}) {
		t.Errorf("the first one has %v and is to show %v", got, a.Show)
	}
}

func TestShown_OutlivesThePacemaker(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.placed("n1", "10.77.0.1", firstPlaces, cluster.RoleHeart)

	r.nodes = New(r.nodes.cfg)

	if got := r.named(n); !slices.Equal(got, firstPlaces.Addresses) {
		t.Errorf("got %v, want %v", got, firstPlaces.Addresses)
	}
}

// instance is one that is assigned to a node.
func (r *fixture) instance(n cluster.Node) cluster.ID {
	r.TB.Helper()
	release, id := r.Deploy(r.App("shop")), cluster.NewID()
	testkit.Must(r.TB, r.Store.Assign(r.TB.Context(), []store.Assignment{
		{ID: id, Operation: cluster.NewID(), App: release.AppID, Release: release.ID, Type: "web", Node: n.ID, NeedsPort: true},
	}))
	return id
}
