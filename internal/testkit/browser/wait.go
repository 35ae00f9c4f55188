package browser

import (
	"time"
)

// Await waits until an expression is true in the page and tells how long that
// took. What it throws counts as not yet.
func (p *Page) Await(what, condition string) time.Duration {
	p.tb.Helper()
	var last error
	took, ok := p.until(func() bool {
		var holds bool
		last = p.eval("!!("+condition+")", &holds)
		return last == nil && holds
	})
	if !ok {
		p.fatalf("waited %s in vain: %s (%s; last error: %v)", p.patience, what, condition, last)
	}
	return took
}

// until looks at a condition until it holds or the page hangs.
func (p *Page) until(holds func() bool) (took time.Duration, ok bool) {
	began := time.Now()
	deadline := time.NewTimer(p.patience)
	defer deadline.Stop()
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for {
		if holds() {
			return time.Since(began), true
		}
		select {
		case <-deadline.C:
			return p.patience, false
		case <-tick.C:
		}
	}
}
