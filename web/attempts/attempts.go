// Package attempts counts the wrong tokens that come from an address, and says for how
// long it is not heard after too many.
package attempts

import (
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	// Span is the time in which an address has so many attempts.
	Span = time.Minute
	// kept bounds the addresses that are remembered.
	kept = 4096
)

// Counter counts wrong attempts by address.
type Counter struct {
	now  func() time.Time
	each int // how many an address may make in Span

	mu   sync.Mutex // guards from
	from map[netip.Prefix][]time.Time
}

// New makes a counter of as many attempts each.
func New(now func() time.Time, each int) *Counter {
	return &Counter{now: now, each: each, from: map[netip.Prefix][]time.Time{}}
}

// Take counts a wrong attempt, or says how long its address has to wait.
func (a *Counter) Take(address netip.Addr) (wait time.Duration, allowed bool) {
	now, who := a.now(), network(address)
	a.mu.Lock()
	defer a.mu.Unlock()
	recent := since(a.from[who], now.Add(-Span))
	if len(recent) >= a.each {
		return recent[0].Add(Span).Sub(now), false
	}
	if len(recent) == 0 {
		a.makeRoom(now)
	}
	a.from[who] = append(recent, now)
	return 0, true
}

// makeRoom drops what is past and then, if all is recent, the quarter of the
// addresses that have been quiet for longest.
func (a *Counter) makeRoom(now time.Time) {
	if len(a.from) < kept {
		return
	}
	last := func(who netip.Prefix) time.Time { return a.from[who][len(a.from[who])-1] }
	maps.DeleteFunc(a.from, func(who netip.Prefix, _ []time.Time) bool { return !last(who).After(now.Add(-Span)) })
	if len(a.from) < kept {
		return
	}
	quiet := slices.SortedFunc(maps.Keys(a.from), func(x, y netip.Prefix) int { return last(x).Compare(last(y)) })
	for _, who := range quiet[:kept/4] {
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
