package jobs

import "time"

// MaxCrashes is how often a job's worker may die while it has the job. Then the
// job is taken for poison and fails.
const MaxCrashes = 3

// Policy says how a kind of job is tried.
type Policy struct {
	MaxAttempts int           // runs that end in an error before the job fails; 0 means 1
	BackoffBase time.Duration // pause after the first error; doubles with each; 0 means none
	BackoffMax  time.Duration // the longest pause; 0 means one minute
	Timeout     time.Duration // of one attempt; 0 means none
	// AtMostOnce is for effects that can't be repeated: the first error is
	// final, and a lost lease fails the job with its outcome unknown.
	AtMostOnce bool
}

// Delay is the pause after the given number of failed attempts. luck in [0, 1)
// spreads it over the upper half of the exponential step.
func (p Policy) Delay(failures int, luck float64) time.Duration {
	if p.BackoffBase <= 0 || failures < 1 {
		return 0
	}
	longest := p.longestDelay()
	d := p.BackoffBase
	for range failures - 1 {
		if d >= longest/2 {
			d = longest
			break
		}
		d *= 2
	}
	d = min(d, longest)
	return d/2 + time.Duration(luck*float64(d)/2)
}

// Clip brings a due time that was read back from storage into reach: no pause
// is longer than the policy's longest, whatever the clocks did meanwhile.
func (p Policy) Clip(due, now time.Time) time.Time {
	if latest := now.Add(p.longestDelay()); due.After(latest) {
		return latest
	}
	return due
}

func (p Policy) longestDelay() time.Duration {
	if p.BackoffMax > 0 {
		return p.BackoffMax
	}
	return time.Minute
}

func (p Policy) attempts() int { return max(p.MaxAttempts, 1) }
