package redisd

import "time"

// turned are the connections that were ended and not yet told of.
type turned struct {
	told  time.Time // the last time
	count int
	last  string // the address of one of them
}

// add takes up those that were ended now, and says whether all are to be told of.
func (t *turned) add(gone []caller, now time.Time) (due bool) {
	if len(gone) > 0 {
		t.count += len(gone)
		t.last = gone[len(gone)-1].addr
	}
	return t.count > 0 && now.Sub(t.told) > callersTold
}

// reset ends the count.
func (t *turned) reset(now time.Time) { t.told, t.count = now, 0 }
