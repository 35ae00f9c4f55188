package browser

import (
	"time"
)

// Await waits until an expression is true in the page and tells how long that
// took. What it throws counts as not yet.
func (p *Page) Await(what, condition string) time.Duration {
	p.tb.Helper()
	return p.AwaitWithin(patience, what, condition)
}

// AwaitWithin is Await with a limit of its own, for what is promised in time.
func (p *Page) AwaitWithin(limit time.Duration, what, condition string) time.Duration {
	p.tb.Helper()
	var last error
	took, ok := until(limit, func() bool {
		var holds bool
		last = p.eval("!!("+condition+")", &holds)
		return last == nil && holds
	})
	if !ok {
		p.fatalf("waited %s in vain: %s (%s; last error: %v)", limit, what, condition, last)
	}
	return took
}

// until looks at a condition until it holds or the limit is over.
func until(limit time.Duration, holds func() bool) (took time.Duration, ok bool) {
	began := time.Now()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for {
		if holds() {
			return time.Since(began), true
		}
		select {
		case <-deadline.C:
			return limit, false
		case <-tick.C:
		}
	}
}
