package main

import (
	"log/slog"
	"net/netip"
	"slices"
	"testing"

	"aorta/pacemaker/cluster"
)

func TestPlacesOf_HasAListenerAtEachAddressThatItTakes(t *testing.T) {
	four, six := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("fd00::1")
	for listen, want := range map[string][]string{
		"":             nil,
		"0.0.0.0:80":   {"10.0.0.1:80"},
		"[::]:80":      {"[fd00::1]:80"},
		"10.0.0.1:81":  {"10.0.0.1:81"},
		"127.0.0.1:80": nil,
	} {
		var at []netip.AddrPort
		if listen != "" {
			at = append(at, netip.MustParseAddrPort(listen))
		}

		got := placesOf([]netip.Addr{four, six}, at)

		if !slices.Equal(got.Public, want) || !slices.Equal(got.Addresses, []string{"10.0.0.1", "fd00::1"}) {
			t.Errorf("%s: got %v, want %v", listen, got, want)
		}
	}
}

func TestNeighbours_AreKnownAtTheNextStart(t *testing.T) {
	path := t.TempDir() + "/neighbours.json"
	log := slog.New(slog.DiscardHandler)
	all := cluster.Neighbours{Digest: "d", Nodes: []cluster.Places{{Addresses: []string{"10.0.0.2"}, Public: []string{"10.0.0.2:80"}}}}
	if first := newNeighbours(nil, nil, path, log).all(); first.Digest != "" {
		t.Fatalf("got %v before anything was heard", first)
	}

	newNeighbours(nil, nil, path, log).learn(all)

	if got := newNeighbours(nil, nil, path, log).all(); got.Digest != "d" || !slices.EqualFunc(got.Nodes, all.Nodes, cluster.Places.Equal) {
		t.Errorf("got %v, want %v", got, all)
	}
}
