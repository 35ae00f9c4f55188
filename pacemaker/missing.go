package pacemaker

import (
	"maps"
	"slices"
	"sync"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/overview"
)

// checkAllEvery is how often every app is checked for missing instances. In
// between only those are of which something changed, or that wait.
const checkAllEvery = 30 * time.Second

// missing remembers which apps are to be checked for missing instances, and
// what waits for room. All of it can be lost: the first check is of all apps.
type missing struct {
	mu       sync.Mutex // guards all below
	changed  map[cluster.ID]bool
	waiting  map[cluster.ID]waiting
	checkAll time.Time // when all apps are to be checked again
}

// waiting is an app that lacks instances which can't be started now.
type waiting struct {
	until  time.Time // when it is to be checked again; zero once what is at work on it has ended
	pause  time.Time // when what keeps failing is tried again; zero for at once
	noRoom []overview.NoRoom
}

// check is what one round is to check.
type check struct {
	all  bool
	apps []cluster.ID
}

func newMissing() *missing {
	return &missing{changed: map[cluster.ID]bool{}, waiting: map[cluster.ID]waiting{}}
}

// mark has some apps checked by the next round.
func (m *missing) mark(apps ...cluster.ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, app := range apps {
		m.changed[app] = true
	}
}

// markAll has all apps checked by the next round.
func (m *missing) markAll() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.checkAll = time.Time{}
}

// due returns what to check now. Return it if the check fails.
func (m *missing) due(now time.Time) check {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := check{all: !now.Before(m.checkAll)}
	if c.all {
		m.checkAll = now.Add(checkAllEvery)
	}
	for app, w := range m.waiting {
		if !w.until.IsZero() && !now.Before(w.until) {
			m.changed[app] = true
		}
	}
	c.apps = slices.Collect(maps.Keys(m.changed))
	clear(m.changed)
	return c
}

// putBack has the same checked again.
func (m *missing) putBack(c check) {
	m.mark(c.apps...)
	m.mu.Lock()
	defer m.mu.Unlock()
	if c.all {
		m.checkAll = time.Time{}
	}
}

// checked replaces what is known of the apps of a check by those that wait. Of apps
// that an operation is at work on nothing else is known before it ends.
func (m *missing) checked(c check, wait map[cluster.ID]waiting, busy map[cluster.ID]bool, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for app, w := range wait {
		w.date(m.waiting[app], now)
	}
	apps := c.apps
	if c.all {
		apps = slices.Collect(maps.Keys(m.waiting))
	}
	for _, app := range apps {
		if !busy[app] {
			delete(m.waiting, app)
		} else if w, waits := m.waiting[app]; waits {
			w.until = time.Time{}
			m.waiting[app] = w
		}
	}
	maps.Copy(m.waiting, wait)
}

// date says of what finds no node since when: as before, else from now on.
func (w waiting) date(before waiting, now time.Time) {
	for i := range w.noRoom {
		r := &w.noRoom[i]
		r.Since = now
		for _, was := range before.noRoom {
			if was.Type == r.Type && was.Instance == r.Instance && was.Node == r.Node {
				r.Since = was.Since
			}
		}
	}
}

// nextTry says when an app's failing instances are replaced, zero when nothing
// holds that up.
func (m *missing) nextTry(app cluster.ID) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.waiting[app].pause
}

// noRoom says what of an app finds no node.
func (m *missing) noRoom(app cluster.ID) []overview.NoRoom {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.waiting[app].noRoom
}
