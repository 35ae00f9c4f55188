package redisq

import "time"

const (
	// refusalEvery is how often the log tells of what one stream sends in vain.
	refusalEvery = time.Minute
	// maxRefusal bounds the text of one refusal, which the sender has part in.
	maxRefusal = 400
)

// refusals keep a sender of nonsense from filling the log: of each stream one is told
// in a while, with the number of those that were not.
type refusals map[string]*refusal

type refusal struct {
	told   time.Time
	untold int
}

// due says whether one is told now, and how many before it were not.
func (r refusals) due(stream string, now time.Time) (before int, ok bool) {
	last := r[stream]
	if last != nil && now.Sub(last.told) < refusalEvery {
		last.untold++
		return 0, false
	}
	if last != nil {
		before = last.untold
	}
	r[stream] = &refusal{told: now}
	return before, true
}
