package main_test

import (
	"slices"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/web/wire"
)

// Who is root on a node gives it the address of a machine that is none of the cluster's.
// The apps of all nodes reach that as before, until the node is there for others too.
func TestLab_ANodeIsWhereItHasShownToBe(t *testing.T) {
	t.Parallel()
	l := four.use(t)
	n1, n3 := on(t, l.Hosts[0]), on(t, l.Hosts[2])
	const claimed = "10.77.0.99"
	kept := func() bool { return strings.Contains(n1.run(n1.dir, "iptables", "-w", "-S").out, claimed+"/32") }
	unshown := func() []string { return asJSON[wire.Node](n1, "nodes", "show", "n3").Unshown }
	testkit.Eventually(t, "n3 to have shown what it has", func() bool { return len(unshown()) == 0 })
	silent := func(only string) { n3.run(n3.dir, "sysctl", "-qw", "net.ipv4.conf.eth0.arp_ignore="+only) }
	t.Cleanup(func() { silent("0") })

	silent("1") // for others, the address is not there
	n3.run(n3.dir, "ip", "address", "add", claimed+"/32", "dev", "lo")
	t.Cleanup(func() { n3.run(n3.dir, "ip", "address", "del", claimed+"/32", "dev", "lo") })

	testkit.Eventually(t, "people to hear of it", func() bool { return slices.Equal(unshown(), []string{claimed}) })
	if reasons := asJSON[wire.Status](n1, "status").Reasons; kept() || len(reasons) > 0 {
		t.Errorf("containers on n1 are kept from %s: %v; status says %q", claimed, kept(), reasons)
	}
	silent("0")
	testkit.Eventually(t, "it to be shown", func() bool { return len(unshown()) == 0 })
	testkit.Eventually(t, "the rules of n1 to have it", kept)
}
