package attempts

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

// each is how many attempts these may make.
const each = 10

// hand is a clock that a test moves.
type hand struct{ at time.Time }

func (h *hand) now() time.Time { return h.at }

func newHand() *hand { return &hand{at: time.Unix(1_000_000, 0)} }

func TestCounter_TenAMinuteFromAnAddress(t *testing.T) {
	clock := newHand()
	a := New(clock.now, each)
	one, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for i := range each {
		if _, allowed := a.Take(one); !allowed {
			t.Fatalf("attempt %d: got it refused", i)
		}
		clock.at = clock.at.Add(time.Second)
	}

	wait, eleventh := a.Take(one)
	_, neighbour := a.Take(other)
	clock.at = clock.at.Add(wait - time.Nanosecond)
	_, early := a.Take(one)
	clock.at = clock.at.Add(time.Nanosecond)
	_, after := a.Take(one)
	_, twice := a.Take(one)

	if eleventh || wait != 50*time.Second {
		t.Errorf("got the eleventh allowed %t, wait %s; want it refused for 50 s", eleventh, wait)
	}
	if !neighbour {
		t.Error("got another address refused, want it let in")
	}
	if early || !after || twice {
		t.Errorf("got %t just before, %t after the wait, %t once more; want one alone after it", early, after, twice)
	}
}

func TestCounter_IPv6CountsByNetwork(t *testing.T) {
	a := New(newHand().now, each)
	for i := range each {
		at := netip.MustParseAddr("2001:db8::").As16()
		binary.BigEndian.PutUint64(at[8:], uint64(i)*7919)
		a.Take(netip.AddrFrom16(at))
	}

	_, same := a.Take(netip.MustParseAddr("2001:db8::ffff:1:2:3"))
	_, next := a.Take(netip.MustParseAddr("2001:db8:0:1::1"))

	if same || !next {
		t.Errorf("got the same network %t, the next %t; want false, true", same, next)
	}
}

func TestCounter_RemembersABoundedNumber(t *testing.T) {
	clock := newHand()
	a := New(clock.now, each)
	nth := func(i int) netip.Addr {
		var at [4]byte
		binary.BigEndian.PutUint32(at[:], uint32(0x0a000000+i))
		return netip.AddrFrom4(at)
	}
	busy, most := netip.MustParseAddr("192.0.2.1"), 0
	try := func(i int) {
		a.Take(nth(i))
		most = max(most, len(a.from))
		clock.at = clock.at.Add(time.Millisecond)
	}

	for i := range 3 * kept {
		try(i)
		if i%(kept/4) == 0 {
			a.Take(busy)
		}
	}
	left := len(a.from[network(busy)])
	clock.at = clock.at.Add(Span)
	for i := range kept {
		try(i)
	}
	_, first := a.from[network(nth(0))]

	if most > kept || left == 0 {
		t.Errorf("got %d addresses kept and %d attempts of one that goes on; want %d at most, and that one not forgotten", most, left, kept)
	}
	if !first || len(a.from) != kept {
		t.Errorf("got the first of %d recent addresses %t, want what is past to go before it", len(a.from), first)
	}
}
