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

// Hosts are cut off, come back, come and go, one dies in the middle of a release, and the
// pacemaker is killed: nothing that a client asks fails by it, and in the end there is what was wanted, once.
func TestLab_HostsComeAndGoUnderLoad(t *testing.T) {
	t.Parallel()
	s := besiege(t, &besieged)

	s.cutOffFromThePacemaker()
	s.comesAndGoes()
	s.diesInTheMiddleOfARelease()
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

// A release goes on without a host that loses power while it was to start an instance.
func (s *siege) diesInTheMiddleOfARelease() {
	s.t.Helper()
	s.cut = true // an instance of the release before is lost as well
	defer func() { s.cut = false }()
	s.under("F7: a host loses power in the middle of a release", s.lab.Hosts[:1], func(cost *lab.Cost) {
		host, released := s.starting()
		cost.Strikes()
		testkit.Must(s.t, host.Kill(testkit.Bounded(s.t)))
		for _, other := range s.lab.Hosts[1:] {
			if other != host {
				testkit.Must(s.t, other.ThawDaemon())
			}
		}
		s.awaitState(host, "dead")
		cost.Known()
		said := <-released
		cost.Whole()
		if text := said.out + said.err; said.code != 0 || !strings.Contains(text, "replaced: node "+host.Name+" is dead, web.") {
			s.t.Errorf("the release: exit %d\n%s\nwant it to serve, and to say what was started elsewhere", said.code, text)
		}
		testkit.Must(s.t, host.Boot(testkit.Bounded(s.t)))
		s.converges("after a host died in the middle of a release")
	})
}

// starting begins a release while the daemons of all hosts but the pacemaker's stand still,
// and gives one of these that has to start an instance of it.
func (s *siege) starting() (host *lab.Host, released <-chan result) {
	s.t.Helper()
	for _, h := range s.lab.Hosts[1:] {
		testkit.Must(s.t, h.FreezeDaemon())
	}
	done := make(chan result, 1)
	go func() { done <- s.c.run(s.c.dir, "aorta", "config", "set", "-a", "shop", "A=b") }()
	testkit.Eventually(s.t, "an instance to wait for its start", func() bool {
		for _, in := range s.c.ps("shop") {
			if i := slices.IndexFunc(s.lab.Hosts[1:], func(h *lab.Host) bool { return h.Name == in.Node }); i >= 0 && in.State == "assigned" {
				host = s.lab.Hosts[1+i]
			}
		}
		return host != nil
	})
	return host, done
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
