package heart

import (
	"time"

	"aorta/heart/docker"
)

// action is what a runner does in one turn.
type action int

const (
	actionWait    action = iota // nothing to do yet
	actionPrepare               // fetch the image, create the container
	actionStart                 // start the process
	actionCheck                 // run the health check
	actionFail                  // the process ended before it was healthy: record the cause
	actionCrash                 // the process ended after it was healthy: plan the restart
	actionTerm                  // send the stop signal
	actionKill                  // send SIGKILL
	actionRemove                // ship the last lines, remove the container
	actionGone                  // nothing is left: record it
	actionDiscard               // remove the container, for another one in its place
)

// The restart policy.
const (
	backoffMin  = time.Second
	backoffMax  = 300 * time.Second
	stableAfter = 10 * time.Minute // healthy this long resets the back-off
	startWindow = 10 * time.Minute
	maxStarts   = 10 // in startWindow
)

// inspectInterval is how often a container is inspected when no event comes.
const inspectInterval = 5 * time.Second

// step is the next action; for actionWait, with the longest wait.
type step struct {
	action action
	wait   time.Duration
}

// decide returns an instance's next step from its record and its container
// (nil: there is none). It is pure.
func decide(r record, c *docker.Container, now time.Time) step {
	switch {
	case c == nil && (r.StopAsked || r.State.Ended() || r.Stray):
		return step{action: actionGone}
	case r.StopAsked:
		return decideStop(r, c, now)
	case r.State.Ended() && c.Running:
		return step{action: actionKill}
	case r.State.Ended():
		return step{action: actionRemove}
	case r.Stray:
		return step{wait: inspectInterval}
	case r.Healthy:
		return decideKeep(r, c, now)
	}
	return decideStart(c)
}

func decideStop(r record, c *docker.Container, now time.Time) step {
	grace := r.Spec.Grace()
	switch {
	case !c.Running:
		return step{action: actionRemove}
	case r.TermAt.IsZero():
		return step{action: actionTerm}
	case now.Sub(r.TermAt) >= grace:
		return step{action: actionKill}
	}
	return step{wait: grace - now.Sub(r.TermAt)}
}

func decideStart(c *docker.Container) step {
	switch {
	case c == nil:
		return step{action: actionPrepare}
	case c.Running:
		return step{action: actionCheck}
	case c.Started:
		return step{action: actionFail}
	}
	return step{action: actionStart}
}

func decideKeep(r record, c *docker.Container, now time.Time) step {
	switch {
	case c != nil && r.Remake:
		s := decideStop(r, c, now)
		if s.action == actionRemove {
			s.action = actionDiscard
		}
		return s
	case c != nil && c.Running:
		return step{action: actionCheck}
	case r.NextStart.IsZero():
		return step{action: actionCrash}
	case now.Before(r.NextStart):
		return step{wait: r.NextStart.Sub(now)}
	case c == nil:
		return step{action: actionPrepare}
	}
	return step{action: actionStart}
}

// planRestart sets when a crashed process is started again.
func planRestart(r *record, now time.Time) {
	stable := !r.HealthySince.IsZero() && now.Sub(r.HealthySince) >= stableAfter
	if r.Backoff = min(2*r.Backoff, backoffMax); r.Backoff == 0 || stable {
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

// recent returns the starts within the last startWindow.
func recent(starts []time.Time, now time.Time) []time.Time {
	var kept []time.Time
	for _, t := range starts {
		if now.Sub(t) < startWindow {
			kept = append(kept, t)
		}
	}
	return kept
}
