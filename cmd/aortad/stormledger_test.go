package main_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"aorta/internal/testkit"
	"aorta/internal/testkit/lab"
	"aorta/internal/testkit/storm"
	"aorta/web/wire"
)

// ledger is what all clients have asked for since the beginning.
type ledger struct {
	answers []lab.Answer
}

func (l *ledger) add(tallies ...*lab.Tally) {
	for _, t := range tallies {
		l.answers = append(l.answers, t.Answers...)
	}
}

// settled is how long what has happened to a machine may still end what is on its way to
// it: routers know a machine to be lost some seconds after it is.
const settled = 15 * time.Second

// overlaps says whether a request was under way at some time from one moment to another.
func overlaps(a lab.Answer, from, until time.Time) bool {
	return !a.Sent.After(until) && !a.End().Before(from)
}

// cuts says whether the outage may have cost this request its answer:
//   - any, while its router was lost to clients, or when its router's worker was killed; from
//     a host without power there is no answer, and from one that is on again only good ones;
//   - of those that may not be sent again also one that was on its way when a machine was
//     lost to its router, or came before routers knew.
func (s *stormy) cuts(o outage, a lab.Answer) bool {
	host := s.lab.Hosts[o.Host].Name
	until := o.until
	if until.IsZero() {
		until = o.begun
	}
	switch o.Kind {
	case storm.HostKilled, storm.HostCut:
		answered := a.Status != 0 && o.Kind == storm.HostKilled
		return a.Via == host && !answered && overlaps(a, o.from, until) || a.Post && overlaps(a, o.from, o.begun.Add(settled))
	case storm.PairCut:
		other := s.lab.Hosts[o.Other].Name
		return a.Post && (a.Via == host || a.Via == other) && overlaps(a, o.from, o.begun.Add(settled))
	case storm.WorkerKilled:
		return a.Via == host && overlaps(a, o.from, o.begun)
	}
	return false
}

// outdated says whether the table of the request's router may have been old: from when a
// cut parted it from the pacemaker until it has the newest one again. What ran by the old
// one may be gone.
func (s *stormy) outdated(o outage, a lab.Answer) bool {
	return slices.Contains(s.parted(o.Fault), a.Via) && overlaps(a, o.from, o.newest)
}

// parted are the hosts that a cut parts from the pacemaker's, which is the first.
func (s *stormy) parted(f storm.Fault) []string {
	var names []string
	for i, host := range s.lab.Hosts[1:] {
		alone := f.Kind == storm.HostCut && (f.Host == 0 || f.Host == i+1)
		pair := f.Kind == storm.PairCut && min(f.Host, f.Other) == 0 && max(f.Host, f.Other) == i+1
		if alone || pair {
			names = append(names, host.Name)
		}
	}
	return names
}

// awaitNewest waits until the routers of these hosts have the newest table.
func (s *stormy) awaitNewest(hosts []string) {
	s.t.Helper()
	if len(hosts) == 0 {
		return
	}
	testkit.Eventually(s.t, fmt.Sprintf("the routers of %v to have the newest table", hosts), func() bool {
		nodes, err := tell[[]wire.Node](s, "nodes")
		status, wrong := tell[wire.Status](s, "status")
		old := func(n wire.Node) bool { return slices.Contains(hosts, n.Name) && n.Generation < status.Generation }
		return err == nil && wrong == nil && !slices.ContainsFunc(nodes, old)
	})
}

// judge fails the test for each request that failed without an outage that excuses it.
func (s *stormy) judge(what string, tally *lab.Tally) {
	s.t.Helper()
	excused := 0
	for _, a := range tally.Answers {
		switch {
		case a.OK:
		case strings.Contains(a.Cause, "the wrong answer"):
			s.fails(what, a)
		case s.excused(a):
			excused++
		default:
			s.fails(what, a)
		}
	}
	s.note("%s: %d of %d failed, %d of them on their way to what was killed or cut off: %v", what, tally.Failed, len(tally.Answers), excused, tally.Causes)
}

func (s *stormy) excused(a lab.Answer) bool {
	for _, o := range s.outages {
		if s.cuts(o, a) || s.outdated(o, a) {
			return true
		}
	}
	return false
}

func (s *stormy) fails(what string, a lab.Answer) {
	s.t.Errorf("a %s through %s failed that was sent at %.1f s of the round, after %.1f s: %s", what, a.Via, a.Sent.Sub(s.began).Seconds(), a.Took.Seconds(), a.Cause)
}

// counts compares what clients have got with what routers have logged, and that with the
// statistics. Each answer has a line in its router's log, but for what a killed nginx had
// not written; what got none may have one. Each line counts once.
func (s *stormy) counts() {
	s.t.Helper()
	id := asJSON[wire.App](s.c, "apps", "info", "-a", "shop").ID
	lines := 0
	for _, host := range s.lab.Hosts {
		low, high := s.ledger.through(host.Name, s.unwritten)
		n := 0
		testkit.Eventually(s.t, fmt.Sprintf("%d lines in the log of the router of %s", low, host.Name), func() bool { // which waits in its buffer
			n = linesOf(s.t, host.Disk(), id)
			return n >= low
		})
		if n > high {
			s.t.Errorf("got %d lines in the log of the router of %s, want %d to %d", n, host.Name, low, high)
		}
		s.note("the router of %s has logged %d requests, clients have had %d to %d", host.Name, n, low, high)
		lines += n
	}
	s.app.counted(int64(lines))
}

// through is how many lines the log of a router has at least and at most.
func (l *ledger) through(host string, unwritten func(lab.Answer) bool) (low, high int) {
	for _, a := range l.answers {
		if a.Via != host {
			continue
		}
		high += 1 + a.Again
		if a.Status != 0 && !unwritten(a) {
			low++
		}
	}
	return low, high
}

// lateBuffer is how long a line may wait in the buffer of a worker that gets no processor
// when its time of bufferTime is over.
const lateBuffer = 5 * bufferTime

// unwritten says whether nginx may have been killed before it wrote the line of an answer.
func (s *stormy) unwritten(a lab.Answer) bool {
	for _, o := range s.outages {
		killed := o.Kind == storm.HostKilled || o.Kind == storm.WorkerKilled
		if killed && a.Via == s.lab.Hosts[o.Host].Name && overlaps(a, o.from.Add(-lateBuffer), o.begun) {
			return true
		}
	}
	return false
}
