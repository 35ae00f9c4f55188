package auth

import (
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	// attemptsEach is how many wrong tokens an address may try in attemptsTime.
	attemptsEach = 10
	attemptsTime = time.Minute
	// attemptsKept bounds the addresses that are remembered.
	attemptsKept = 4096
)

// attempts counts wrong sign-ins by address.
type attempts struct {
	now func() time.Time

	mu   sync.Mutex // guards from
	from map[netip.Prefix][]time.Time
}

func newAttempts(now func() time.Time) *attempts {
	return &attempts{now: now, from: map[netip.Prefix][]time.Time{}}
}

// take counts a wrong attempt, or says how long its address has to wait.
func (a *attempts) take(address netip.Addr) (wait time.Duration, allowed bool) {
	now, who := a.now(), network(address)
	a.mu.Lock()
	defer a.mu.Unlock()
	recent := since(a.from[who], now.Add(-attemptsTime))
	if len(recent) >= attemptsEach {
		return recent[0].Add(attemptsTime).Sub(now), false
	}
	if len(recent) == 0 {
		a.makeRoom(now)
	}
	a.from[who] = append(recent, now)
	return 0, true
}

// makeRoom drops what is past and then, if all is recent, the quarter of the
// addresses that have been quiet for longest.
func (a *attempts) makeRoom(now time.Time) {
	if len(a.from) < attemptsKept {
		return
	}
	last := func(who netip.Prefix) time.Time { return a.from[who][len(a.from[who])-1] }
	maps.DeleteFunc(a.from, func(who netip.Prefix, _ []time.Time) bool { return !last(who).After(now.Add(-attemptsTime)) })
	if len(a.from) < attemptsKept {
		return
	}
	quiet := slices.SortedFunc(maps.Keys(a.from), func(x, y netip.Prefix) int { return last(x).Compare(last(y)) })
	for _, who := range quiet[:attemptsKept/4] {
		delete(a.from, who)
	}
}

// since keeps the times after a moment; they are in order.
func since(times []time.Time, moment time.Time) []time.Time {
	for len(times) > 0 && !times[0].After(moment) {
		times = times[1:]
	}
	return times
}

// network is whom an address belongs to: with IPv6 one machine has a whole /64.
func network(address netip.Addr) netip.Prefix {
	bits := address.BitLen()
	if address.Is6() {
		bits = 64
	}
	p, _ := address.Prefix(bits) // of no address: the zero prefix, which all such share
	return p
}
