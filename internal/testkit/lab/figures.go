package lab

import (
	"fmt"
	"slices"
	"time"
)

// Moment is when something was done, for figures that a test prints: none is judged
// by them.
type Moment time.Time

// Now is the moment.
func Now() Moment { return Moment(time.Now()) }

// Passed says how long ago it was.
func (m Moment) Passed() string { return fmt.Sprintf("%.1f s", time.Since(time.Time(m)).Seconds()) }

// Since sums up what was sent from so long after the moment on.
func (m Moment) Since(later time.Duration, tallies ...*Tally) string {
	var took []time.Duration
	sent := 0
	for _, t := range tallies {
		for _, a := range t.Answers {
			if a.Sent.Before(time.Time(m).Add(later)) {
				continue
			}
			sent++
			if a.OK {
				took = append(took, a.Took)
			}
		}
	}
	if len(took) == 0 {
		return fmt.Sprintf("0 of %d answered", sent)
	}
	slices.Sort(took)
	return fmt.Sprintf("%.1f %% answered, p99 %d ms", 100*float64(len(took))/float64(sent), took[len(took)*99/100].Milliseconds())
}
