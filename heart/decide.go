package heart

import (
	"time"

	"aorta/heart/docker"
	"aorta/pacemaker/cluster"
)

// deed is the one thing that a turn of a runner does.
type deed int

const (
	deedWait    deed = iota // nothing is due
	deedProvide             // image and container
	deedStart               // its process
	deedCheck               // its health
	deedFail                // it ended before it was healthy: say why
	deedCrash               // it ended after it was healthy: plan the next start
	deedTerm
	deedKill
	deedClear // ship the last lines, remove the container
	deedGone  // nothing is left: say so
)

// The restart policy in place.
const (
	backoffMin  = time.Second
	backoffMax  = 300 * time.Second
	calmAfter   = 10 * time.Minute // healthy for so long, and the back-off begins anew
	startWindow = 10 * time.Minute
	maxStarts   = 10 // in startWindow
)

// lookEvery is how often a container is looked at when no event comes.
const lookEvery = 5 * time.Second

// step is what to do, and for deedWait how long to wait at most.
type step struct {
	deed deed
	wait time.Duration
}

// decide says what an instance needs next, from what is remembered and what
// the engine shows (nil: no container). It is pure.
func decide(r record, c *docker.Container, now time.Time) step {
	switch {
	case c == nil && (r.StopAsked || r.State.Ended() || r.Stray):
		return step{deed: deedGone}
	case r.StopAsked:
		return decideStop(r, c, now)
	case r.State.Ended() && c.Running:
		return step{deed: deedKill}
	case r.State.Ended():
		return step{deed: deedClear}
	case r.Stray:
		return step{wait: lookEvery}
	case r.Healthy:
		return decideKeep(r, c, now)
	}
	return decideStart(c)
}

func decideStop(r record, c *docker.Container, now time.Time) step {
	grace := r.Spec.StopGrace
	if grace <= 0 {
		grace = cluster.DefaultStopGrace
	}
	switch {
	case !c.Running:
		return step{deed: deedClear}
	case r.TermAt.IsZero():
		return step{deed: deedTerm}
	case now.Sub(r.TermAt) >= grace:
		return step{deed: deedKill}
	}
	return step{wait: grace - now.Sub(r.TermAt)}
}

func decideStart(c *docker.Container) step {
	switch {
	case c == nil:
		return step{deed: deedProvide}
	case c.Running:
		return step{deed: deedCheck}
	case c.Started:
		return step{deed: deedFail}
	}
	return step{deed: deedStart}
}

func decideKeep(r record, c *docker.Container, now time.Time) step {
	switch {
	case c != nil && c.Running:
		return step{deed: deedCheck}
	case r.NextStart.IsZero():
		return step{deed: deedCrash}
	case now.Before(r.NextStart):
		return step{wait: r.NextStart.Sub(now)}
	case c == nil:
		return step{deed: deedProvide}
	}
	return step{deed: deedStart}
}

// planRestart sets when a crashed process is started again.
func planRestart(r *record, now time.Time) {
	calm := !r.HealthySince.IsZero() && now.Sub(r.HealthySince) >= calmAfter
	if r.Backoff = min(2*r.Backoff, backoffMax); r.Backoff == 0 || calm {
		r.Backoff = backoffMin
	}
	r.NextStart = now.Add(r.Backoff)
	r.Starts = recent(r.Starts, now)
	if n := len(r.Starts); n >= maxStarts {
		if free := r.Starts[n-maxStarts].Add(startWindow); free.After(r.NextStart) {
			r.NextStart = free
		}
	}
}

// recent keeps the starts of the last window.
func recent(starts []time.Time, now time.Time) []time.Time {
	var kept []time.Time
	for _, t := range starts {
		if now.Sub(t) < startWindow {
			kept = append(kept, t)
		}
	}
	return kept
}
