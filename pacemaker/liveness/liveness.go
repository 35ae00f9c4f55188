// Package liveness judges by their silence which nodes are there. It is pure: the
// times are given to it, and it knows neither sessions nor SQL.
package liveness

import (
	"cmp"
	"slices"
	"time"

	"aorta/pacemaker/cluster"
)

// Judge remembers between two judgements what times count from, and whether so many
// nodes are silent that the fault is likely to be here. Make it with New.
type Judge struct {
	deadAfter time.Duration
	every     time.Duration
	since     time.Time                // silence counts from here at the earliest
	met       map[cluster.ID]time.Time // and of a node from when it was first among those judged
	last      time.Time                // when it judged last
	guarded   bool
	lone      time.Time // since when a single silent node has been left; zero when none is
}

// Node is what a judgement needs of one node.
type Node struct {
	ID    cluster.ID
	Heart bool              // it runs instances
	State cluster.NodeState // as recorded
	Heard time.Time         // last; zero for not since the start
}

// Change is a node that is in another state now.
type Change struct {
	ID       cluster.ID
	From, To cluster.NodeState
	Silence  time.Duration
}

// Judgement is what one round has found.
type Judgement struct {
	Changes []Change // by id
	// Guarded says that no node is declared dead, since so many are silent.
	Guarded bool
	// Restarted says that this round came too late to know who was silent: all have
	// their whole time again.
	Restarted bool
}

// New makes a judge that began at a time, is asked every so often, and declares a
// node dead after so long a silence.
func New(deadAfter time.Duration, began time.Time) *Judge {
	return &Judge{deadAfter: deadAfter, every: Every(deadAfter), since: began, last: began, met: map[cluster.ID]time.Time{}}
}

// longestEvery is the longest time between two judgements.
const longestEvery = 2 * time.Second

// Every is how often nodes are to be judged.
func Every(deadAfter time.Duration) time.Duration { return min(longestEvery, deadAfter/6) }

// SuspectAfter is the silence after which a node gets nothing new.
func SuspectAfter(deadAfter time.Duration) time.Duration { return deadAfter / 2 }

// Judge says which nodes are in another state now than is recorded.
//
// A round that comes much later than it should, in a process that was stopped or
// starved, has not heard who spoke meanwhile.
func (j *Judge) Judge(now time.Time, nodes []Node) Judgement {
	out := Judgement{}
	if late := now.Sub(j.last); late > 2*j.every {
		j.since, out.Restarted = now, true
	}
	j.last = now
	j.meet(now, nodes)
	j.guard(now, nodes)
	out.Guarded = j.guarded
	for _, n := range nodes {
		if to := j.state(now, n); to != n.State {
			out.Changes = append(out.Changes, Change{ID: n.ID, From: n.State, To: to, Silence: j.silence(now, n)})
		}
	}
	slices.SortFunc(out.Changes, func(a, b Change) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// meet notes since when each node is judged, and forgets those that are not any more.
func (j *Judge) meet(now time.Time, nodes []Node) {
	met := make(map[cluster.ID]time.Time, len(nodes))
	for _, n := range nodes {
		since, known := j.met[n.ID]
		if !known {
			since = now
		}
		met[n.ID] = since
	}
	j.met = met
}

// state is the one that a node is in. Only being heard brings a dead one back.
func (j *Judge) state(now time.Time, n Node) cluster.NodeState {
	silence := j.silence(now, n)
	switch {
	case n.State == cluster.NodeDead && !j.heardLately(now, n):
		return cluster.NodeDead
	case silence >= j.deadAfter && !j.guarded:
		return cluster.NodeDead
	case silence >= SuspectAfter(j.deadAfter):
		return cluster.NodeSuspect
	case n.State == cluster.NodeSuspect && !j.heardLately(now, n):
		return cluster.NodeSuspect // its time has begun anew, and that is not being heard
	}
	return cluster.NodeReady
}

func (j *Judge) silence(now time.Time, n Node) time.Duration {
	from := j.since
	for _, at := range []time.Time{j.met[n.ID], n.Heard} {
		if at.After(from) {
			from = at
		}
	}
	return now.Sub(from)
}

func (j *Judge) heardLately(now time.Time, n Node) bool {
	return !n.Heard.IsZero() && now.Sub(n.Heard) < SuspectAfter(j.deadAfter)
}

// Bounds of the guard: it begins with more than some of a hundred hearts silent, and
// ends with fewer than some, or after so many timeouts with a single one.
const (
	guardAbove   = 55
	guardBelow   = 10
	guardAtLeast = 2
	loneTimeouts = 5
)

// guard finds out whether so many hearts are silent at once that it is likely to be
// this machine which hears nothing. When it ends, all times begin anew: nodes come
// back one by one, and those that are late would be dead at once.
func (j *Judge) guard(now time.Time, nodes []Node) {
	silent, all := 0, 0
	for _, n := range nodes {
		if !n.Heart || n.State == cluster.NodeDead && !j.heardLately(now, n) {
			continue
		}
		all++
		if j.silence(now, n) >= SuspectAfter(j.deadAfter) {
			silent++
		}
	}
	if !j.guarded {
		j.guarded = silent >= guardAtLeast && silent*100 > guardAbove*all
		return
	}
	if silent != 1 {
		j.lone = time.Time{}
	} else if j.lone.IsZero() {
		j.lone = now
	}
	stays := !j.lone.IsZero() && now.Sub(j.lone) >= loneTimeouts*j.deadAfter
	if silent*100 < guardBelow*all || silent == 0 || stays {
		j.guarded, j.lone, j.since = false, time.Time{}, now
	}
}

// longestHold is how many times as long as its timeout a node is held at most.
const longestHold = 60

// lossWindow is for how many timeouts a loss is remembered.
const lossWindow = 240

// Losses counts a node's losses, with the one of now: those of long ago don't count.
func Losses(before int, last, now time.Time, deadAfter time.Duration) int {
	if gone := now.Sub(last); gone < 0 || gone > lossWindow*deadAfter {
		return 1
	}
	return before + 1
}

// Hold is for how long a node that was dead and came back gets nothing new while
// others may have it: twice as long with each loss, so that one that comes and goes
// does not take instances along.
func Hold(losses int, deadAfter time.Duration) time.Duration {
	if losses <= 0 {
		return 0
	}
	return time.Duration(min(longestHold, 2<<min(losses-1, 10))) * deadAfter
}

// HeldUntil is until when a node gets nothing new while others may have it.
func HeldUntil(n cluster.Node, deadAfter time.Duration) time.Time {
	return n.ReturnedAt.Add(Hold(n.Losses, deadAfter))
}
