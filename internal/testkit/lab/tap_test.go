package lab

import (
	"net/netip"
	"testing"

	"aorta/internal/testkit"
)

// A tap hears each word once between hosts, in both families and ways, and none of what
// is said to clients.
func TestTap_HearsHostsAndNotClients(t *testing.T) {
	t.Parallel()
	l := bare(t, 2)
	answering(t, l)
	n1, n2 := l.Hosts[0], l.Hosts[1]
	tap, err := l.Tap()
	testkit.Must(t, err)

	for _, from := range []*Room{n1.Room, l.Clients} {
		for _, address := range l.addresses(n2.Room) {
			_, err := greet(testkit.Bounded(t), from, address)
			testkit.Must(t, err)
		}
	}
	heard, err := tap.Close()
	testkit.Must(t, err)

	said := map[netip.Addr]string{}
	for flow, words := range heard {
		if flow.Protocol != "tcp" || flow.From.Port() != 9000 {
			t.Errorf("got %v, want the answers alone: %q", flow, words)
		}
		said[flow.From.Addr()] += string(words)
	}
	for _, address := range l.addresses(n2.Room) {
		if got := said[netip.MustParseAddr(address)]; got != n2.Name {
			t.Errorf("from %s: got %q, want %q", address, got, n2.Name)
		}
	}
	if len(said) != 2 {
		t.Errorf("got %v, want what n2 said at its two addresses", said)
	}
}
