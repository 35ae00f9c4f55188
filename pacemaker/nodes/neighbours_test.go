package nodes

import (
	"slices"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

func TestReport_TellsOfNeighboursWhenTheyAreNew(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	one, two := r.joined("n1", cluster.RoleHeart), r.joined("n2", cluster.RoleRouter)
	counter := uint64(0)
	ask := func(n cluster.Node, places cluster.Places, knows string) *cluster.Neighbours {
		t.Helper()
		counter++
		n, err := r.Store.Node(t.Context(), n.ID)
		testkit.Must(t, err)
		said := report(n, counter, true)
		said.Places, said.Neighbours = places, knows
		a, err := r.nodes.Report(t.Context(), n, said)
		testkit.Must(t, err)
		return a.Neighbours
	}
	places := cluster.Places{Addresses: []string{"10.0.0.2", "fd00::2"}, Public: []string{"10.0.0.2:80"}}

	testkit.Must(t, r.Store.ShowAddresses(t.Context(), two.ID, places.Addresses))
	first := ask(one, cluster.Places{}, "")
	same := ask(one, cluster.Places{}, first.Digest)
	ask(two, places, "")
	second := ask(one, cluster.Places{}, first.Digest)

	if same != nil || second == nil || first.Digest == second.Digest {
		t.Fatalf("got %v for what is known, %v for what is new", same, second)
	}
	// The address that instances are published on is one too, also where no router is.
	want := []cluster.Places{
		{Addresses: []string{"10.77.0.3"}},
		{Addresses: []string{"10.0.0.2", "fd00::2", "10.77.0.3"}, Public: places.Public},
	}
	if !slices.EqualFunc(second.Nodes, want, cluster.Places.Equal) {
		t.Errorf("got %v, want %v", second.Nodes, want)
	}
}

func TestReport_RefusesPlacesThatAreNone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.joined("n1", cluster.RoleHeart)
	for _, p := range []cluster.Places{
		{Addresses: []string{"example.com"}},
		{Addresses: []string{"fe80::1%eth0"}},
		{Addresses: []string{"10.0.0.0/8"}},
		{Public: []string{"10.0.0.1"}},
		{Public: []string{":80"}},
		{Addresses: slices.Repeat([]string{"10.0.0.1"}, 257)},
	} {
		said := report(n, 1, true)
		said.Places = p

		_, err := r.nodes.Report(t.Context(), n, said)

		if cluster.CodeOf(err) != cluster.CodeInvalid {
			t.Errorf("%.60v: got %v, want it refused", p, err)
		}
	}
}
