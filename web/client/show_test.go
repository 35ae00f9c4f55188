package client

import (
	"net"
	"net/http"
	"net/netip"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

func TestNode_ShowsAnAddressByAConnectionFromIt(t *testing.T) {
	var got []string
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		from, _, _ := net.SplitHostPort(r.RemoteAddr)
		got = append(got, r.Method+" "+r.URL.Path+" from "+from)
		w.WriteHeader(204)
	})
	n := connectNode(t, s.URL)

	testkit.Must(t, n.Show(t.Context(), netip.MustParseAddr("127.0.0.7")))

	if len(got) != 1 || got[0] != "POST /api/v1/nodes/n1/address from 127.0.0.7" {
		t.Errorf("got %q", got)
	}
}

func TestNode_ShowsAddressesOfTheOtherProtocolElsewhere(t *testing.T) {
	n := connectNode(t, "https://10.0.0.1:7421")
	four, six := netip.MustParseAddr("10.0.0.9"), netip.MustParseAddr("fd00::9")
	at := []string{"https://10.0.0.2:7421", "https://[fd00::1]:7421"}
	for from, want := range map[netip.Addr]string{four: "https://10.0.0.1:7421", six: at[1]} {
		if got, err := n.endpoint().towards(from, at); err != nil || got.base.String() != want {
			t.Errorf("%s: got %v, %v, want %s", from, got, err, want)
		}
	}

	err := n.Show(t.Context(), six)

	if cluster.CodeOf(err) != cluster.CodeUnavailable {
		t.Errorf("without one: got %v", err)
	}
}
