package auth

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

// hand is a clock that a test moves.
type hand struct{ at time.Time }

func (h *hand) now() time.Time { return h.at }

func newHand() *hand { return &hand{at: time.Unix(1_000_000, 0)} }

func TestAttempts_TenAMinuteFromAnAddress(t *testing.T) {
	clock := newHand()
	a := newAttempts(clock.now)
	one, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for i := range attemptsEach {
		if _, allowed := a.take(one); !allowed {
			t.Fatalf("attempt %d: got it refused", i)
		}
		clock.at = clock.at.Add(time.Second)
	}

	wait, eleventh := a.take(one)
	_, neighbour := a.take(other)
	clock.at = clock.at.Add(wait - time.Nanosecond)
	_, early := a.take(one)
	clock.at = clock.at.Add(time.Nanosecond)
	_, after := a.take(one)
	_, twice := a.take(one)

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

func TestAttempts_IPv6CountsByNetwork(t *testing.T) {
	a := newAttempts(newHand().now)
	for i := range attemptsEach {
		at := netip.MustParseAddr("2001:db8::").As16()
		binary.BigEndian.PutUint64(at[8:], uint64(i)*7919)
		a.take(netip.AddrFrom16(at))
	}

	_, same := a.take(netip.MustParseAddr("2001:db8::ffff:1:2:3"))
	_, next := a.take(netip.MustParseAddr("2001:db8:0:1::1"))

	if same || !next {
		t.Errorf("got the same network %t, the next %t; want false, true", same, next)
	}
}

func TestAttempts_RemembersABoundedNumber(t *testing.T) {
	clock := newHand()
	a := newAttempts(clock.now)
	nth := func(i int) netip.Addr {
		var at [4]byte
		binary.BigEndian.PutUint32(at[:], uint32(0x0a000000+i))
		return netip.AddrFrom4(at)
	}
	busy, most := netip.MustParseAddr("192.0.2.1"), 0
	try := func(i int) {
		a.take(nth(i))
		most = max(most, len(a.from))
		clock.at = clock.at.Add(time.Millisecond)
	}

	for i := range 3 * attemptsKept {
		try(i)
		if i%(attemptsKept/4) == 0 {
			a.take(busy)
		}
	}
	left := len(a.from[network(busy)])
	clock.at = clock.at.Add(attemptsTime)
	for i := range attemptsKept {
		try(i)
	}
	_, first := a.from[network(nth(0))]

	if most > attemptsKept || left == 0 {
		t.Errorf("got %d addresses kept and %d attempts of one that goes on; want %d at most, and that one not forgotten", most, left, attemptsKept)
	}
	if !first || len(a.from) != attemptsKept {
		t.Errorf("got the first of %d recent addresses %t, want what is past to go before it", len(a.from), first)
	}
}
