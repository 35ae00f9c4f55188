package main_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/internal/testkit/lab"
	"aorta/web/wire"
)

// Hosts are cut off, come back, come and go, and the pacemaker is killed: nothing that a
// client asks fails by it, and in the end there is what was wanted, once.
func TestLab_HostsComeAndGoUnderLoad(t *testing.T) {
	t.Parallel()
	s := besiege(t, &besieged)

	s.cutOffFromThePacemaker()
	s.comesAndGoes()
	s.mostAreSilent()
	s.pacemakerIsKilled()
}

// A heart that only the pacemaker no longer hears serves until it is replaced; once it is
// heard again, one of the two stays.
func (s *siege) cutOffFromThePacemaker() {
	s.t.Helper()
	host, others := s.busy()
	s.under("F8: a host is cut off from the pacemaker", others, func(cost *lab.Cost) {
		cost.Strikes()
		testkit.Must(s.t, s.lab.Cut(testkit.Bounded(s.t), lab.Cut{A: host.Name, B: "n1"}))
		s.awaitState(host, "dead")
		cost.Known()
		testkit.Eventually(s.t, "what was there to be replaced", func() bool { return len(s.ids()) == 3 })
		cost.Whole()
		testkit.Must(s.t, s.lab.Heal(testkit.Bounded(s.t)))
		s.awaitState(host, "ready")
		s.converges("after a host was cut off")
	})
}

// A heart that comes and goes is replaced once.
func (s *siege) comesAndGoes() {
	s.t.Helper()
	host, others := s.busy()
	before := s.replacements()
	s.under("F10: a host comes and goes", others, func(cost *lab.Cost) {
		for range 3 {
			cost.Strikes()
			testkit.Must(s.t, s.lab.Cut(testkit.Bounded(s.t), lab.Cut{A: host.Name, B: "n1"}))
			s.awaitState(host, "dead")
			cost.Known()
			testkit.Eventually(s.t, "three instances elsewhere", func() bool { return len(s.ids()) == 3 })
			cost.Whole()
			testkit.Must(s.t, s.lab.Heal(testkit.Bounded(s.t)))
			s.awaitState(host, "ready")
		}
		s.converges("after a host came and went")
	})
	if n := s.replacements() - before; n != 1 {
		s.t.Errorf("a host that comes and goes: got %d replacements, want one", n)
	}
}

// While the pacemaker hears nobody, nothing is replaced, and on the way back neither.
func (s *siege) mostAreSilent() {
	s.t.Helper()
	before, replaced := s.ids(), s.replacements()
	s.cut = true // n1 has an instance
	defer func() { s.cut = false }()
	s.under("F9: the pacemaker hears nobody", s.lab.Hosts[1:], func(cost *lab.Cost) {
		cost.Strikes()
		for _, host := range s.lab.Hosts[1:] {
			testkit.Must(s.t, s.lab.Cut(testkit.Bounded(s.t), lab.Cut{A: host.Name, B: "n1"}))
		}
		testkit.Eventually(s.t, "it to say so", func() bool {
			return slices.ContainsFunc(asJSON[wire.Status](s.c, "status").Reasons, func(r string) bool { return strings.Contains(r, "so nothing is replaced") })
		})
		cost.Known()
		testkit.Eventually(s.t, "twice the time to pass", func() bool {
			return !slices.ContainsFunc(asJSON[[]wire.Node](s.c, "nodes"), func(n wire.Node) bool {
				return n.Name != "n1" && (n.HeardAgo == nil || *n.HeardAgo < 2*deadAfter().Seconds())
			})
		})
		cost.Ends()
		testkit.Must(s.t, s.lab.Heal(testkit.Bounded(s.t)))
		s.converges("after nobody was heard")
		cost.Whole()
	})
	if after := s.ids(); !maps.Equal(after, before) || s.replacements() != replaced {
		s.t.Errorf("a pacemaker that heard nobody: got %v, want %v as before", after, before)
	}
}

// Nobody is dead for a pacemaker that was away itself.
func (s *siege) pacemakerIsKilled() {
	s.t.Helper()
	before, replaced := s.ids(), s.replacements()
	s.under("F3: the pacemaker is killed", s.lab.Hosts[1:], func(cost *lab.Cost) {
		cost.Strikes()
		testkit.Must(s.t, s.lab.Pacemaker().KillDaemon(testkit.Bounded(s.t)))
		tally, err := lab.Load{App: "shop", Rate: 50, For: 3 * deadAfter(), Via: s.lab.Hosts[1:]}.Run(testkit.Bounded(s.t), s.lab)
		testkit.Must(s.t, err)
		wantAnswered(s.t, "for three times its timeout", tally)
		cost.Ends()
		testkit.Must(s.t, s.lab.Pacemaker().StartDaemon(testkit.Bounded(s.t)))
		s.converges("after the pacemaker was away")
		cost.Whole()
	})
	if after := s.ids(); !maps.Equal(after, before) || s.replacements() != replaced {
		s.t.Errorf("a pacemaker that was away: got %v, want %v as before", after, before)
	}
}
