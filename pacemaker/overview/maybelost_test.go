package overview

import (
	"slices"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// A machine that goes away is one event: its router and the links to it are no faults of
// their own. A link that is broken between two nodes that report is one.
func TestConcerns_SayOfALostMachineOnce(t *testing.T) {
	now := time.Unix(1000, 0)
	node := func(name string, lost ...string) Node {
		return Node{
			Node:    cluster.Node{ID: cluster.ID(name), Name: name, Address: "10.0.0." + name[1:], State: cluster.NodeReady, Roles: []cluster.Role{cluster.RoleHeart, cluster.RoleRouter}},
			HeardAt: &now, Router: cluster.RouterReport{Lost: lost},
		}
	}
	away := node("n3")
	away.Quiet, away.RouterSilent = true, true
	unheard := node("n3")
	unheard.Quiet = true
	stuck := node("n3")
	stuck.RouterSilent = true
	quiet := unheard
	for name, c := range map[string]struct {
		nodes []Node
		want  []string
	}{
		"lost":          {[]Node{node("n1", "10.0.0.3"), node("n2", "10.0.0.3"), away, node("n4", "10.0.0.3")}, []string{"Node n3 may be lost: nobody hears it, and n1, n2 and n4 do not reach it. Check aortad and the network there."}},
		"seen by one":   {[]Node{node("n1", "10.0.0.3"), node("n2"), unheard}, []string{"Node n3 may be lost: nobody hears it, and n1 does not reach it. Check aortad and the network there."}},
		"reached":       {[]Node{node("n1"), away}, []string{"Node n3 may be lost: nobody hears it. Check aortad and the network there."}},
		"its router":    {[]Node{node("n1"), stuck}, []string{"The router on n3 is silent: check aortad and nginx there."}},
		"a report late": {[]Node{node("n1"), quiet}, nil},
		"a link": {[]Node{node("n1", "10.0.0.3"), node("n3")}, []string{
			"The router on n1 does not reach node n3 at 10.0.0.3, so it asks instances elsewhere: check the network between the two, or give n3 an address that all nodes reach (--node-address).",
		}},
	} {
		var got []string
		for _, concern := range (Snapshot{Nodes: c.nodes}).Concerns() {
			got = append(got, concern.Text)
		}

		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// Who mends an address has to know where the node is looked for, and where it comes from.
func TestConcerns_NameWhereANodeIsAndIsNot(t *testing.T) {
	for from, want := range map[string]string{
		"": "reached the pacemaker: no requests are sent there until one does. Check its node_address, and the way from the pacemaker to that address.",
		"10.0.0.7": "reached the pacemaker, which hears it from 10.0.0.7: no requests are sent there until one does. " +
			"Check the way from the pacemaker to that address, or give the node the one that others reach it at (--node-address, such as 10.0.0.7 where that is its own).",
	} {
		n := Node{Node: cluster.Node{ID: "3", Name: "n3", Roles: []cluster.Role{cluster.RoleHeart}}, SaysAt: "192.168.7.7", HeardFrom: from}

		got := (Snapshot{Nodes: []Node{n}}).Concerns()

		if want := "Node n3 says that its instances are at 192.168.7.7, and no connection from there has " + want; len(got) != 1 || got[0].Text != want {
			t.Errorf("heard from %q: got %+v, want %q", from, got, want)
		}
	}
}

// A node is missed by what it was asked to report, not by a time of its own.
func TestNode_IsQuietOnceItMissedAReport(t *testing.T) {
	r := newRig(t)
	r.overview.cfg.ReportEvery = 10 * time.Second
	n1 := r.joined("n1", cluster.RoleHeart)
	unknown := r.Node("n2", cluster.RoleHeart)
	quiet := func(n cluster.Node) bool {
		t.Helper()
		one, err := r.overview.Node(t.Context(), n)
		testkit.Must(t, err)
		return one.Quiet
	}

	r.Clock.Forward(14 * time.Second)
	if quiet(n1) || !quiet(unknown) {
		t.Errorf("after 14 s of silence: got quiet %t, and %t of a node that never reported; want false, true", quiet(n1), quiet(unknown))
	}
	r.Clock.Forward(time.Second)
	if !quiet(n1) {
		t.Error("after 15 s of silence: got a node that is not quiet, want it so")
	}
}
