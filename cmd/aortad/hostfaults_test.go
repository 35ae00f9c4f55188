package main_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/internal/testkit/lab"
	"aorta/web/wire"
)

// siege is an app of three instances on four hosts, to which things happen under load.
type siege struct {
	t   *testing.T
	lab *lab.Lab
	c   *cluster
	app *project
	cut bool // routers that are asked are cut off from an instance, too
}

// besieged are the hosts with a shorter time until one counts as dead than make up has.
const besiegedDeadAfter = 8 * time.Second

// Hosts are cut off, come back, come and go, and the pacemaker is killed: nothing that a
// client asks fails by it, and in the end there is what was wanted, once.
func TestLab_HostsComeAndGoUnderLoad(t *testing.T) {
	t.Parallel()
	specs := lab.Specs(4)
	specs[0].Flags = []string{"--dead-after=" + besiegedDeadAfter.String()}
	s := &siege{t: t, lab: ownLab(t, nil, specs...)}
	s.c = on(t, s.lab.Pacemaker())
	s.app = s.c.newApp("shop", "hello")
	s.app.deploy()
	s.c.aorta("ps", "scale", "-a", "shop", "web=3")
	s.converges("at first")

	s.cutOffFromThePacemaker()
	s.comesAndGoes()
	s.mostAreSilent()
	s.pacemakerIsKilled()
}

// under has clients ask through the routers of hosts while something happens.
func (s *siege) under(what string, via []*lab.Host, happens func()) {
	s.t.Helper()
	get, post := loading(s.t, s.lab, lab.Load{App: "shop", Rate: 50, Via: via}), loading(s.t, s.lab, lab.Load{App: "shop", Rate: 20, Via: via, Post: true})
	happens()
	posts := post()
	wantAnswered(s.t, what+", GET", get())
	for cause, n := range posts.Causes {
		if !s.cut || !strings.Contains(cause, "does not answer any more") && !strings.Contains(cause, "closed the connection") {
			s.t.Errorf("%s: %d POSTs failed by %q", what, n, cause)
		}
	}
	s.t.Logf("%s, POST: %d of %d failed", what, posts.Failed, posts.Failed+posts.OK)
}

// ids are the instances that run, by id, with their nodes.
func (s *siege) ids() map[string]string {
	s.t.Helper()
	at := map[string]string{}
	for _, in := range s.c.ps("shop") {
		if in.State == "running" && s.c.states()[in.Node] != "dead" {
			at[in.ID] = in.Node
		}
	}
	return at
}

// converges waits until three instances run on three nodes that are ready, and until no
// host has a container of any other.
func (s *siege) converges(when string) {
	s.t.Helper()
	testkit.Eventually(s.t, when+", three instances on three nodes and nothing else", func() bool {
		states, nodes, all := s.c.states(), map[string]bool{}, s.c.ps("shop")
		for _, in := range all {
			nodes[in.Node] = in.State == "running" && states[in.Node] == "ready"
		}
		return len(all) == 3 && len(nodes) == 3 && !slices.Contains(slices.Collect(maps.Values(nodes)), false) &&
			!slices.ContainsFunc(slices.Collect(maps.Values(states)), func(state string) bool { return state != "ready" }) && s.containers() == 3
	})
}

func (s *siege) containers() (n int) {
	for _, host := range s.lab.Hosts {
		n += len((&project{c: on(s.t, host), name: "shop"}).containers())
	}
	return n
}

// busy is a host with an instance, which is not the pacemaker's; others are the rest
// without the pacemaker's.
func (s *siege) busy() (host *lab.Host, others []*lab.Host) {
	s.t.Helper()
	at := slices.Collect(maps.Values(s.ids()))
	for _, h := range s.lab.Hosts[1:] {
		if host == nil && slices.Contains(at, h.Name) {
			host = h
		} else {
			others = append(others, h)
		}
	}
	if host == nil {
		s.t.Fatalf("got instances at %v, want one on another host than n1", at)
	}
	return host, others
}

func (s *siege) awaitState(host *lab.Host, state string) {
	s.t.Helper()
	testkit.Eventually(s.t, host.Name+" to be "+state, func() bool { return s.c.states()[host.Name] == state })
}

// replacements counts those that were begun, moves not among them.
func (s *siege) replacements() (n int) {
	s.t.Helper()
	for _, job := range asJSON[[]wire.Job](s.c, "jobs", "--all") {
		if strings.HasPrefix(job.Title, "Replace ") {
			n++
		}
	}
	return n
}

// A heart that only the pacemaker no longer hears serves until it is replaced; once it is
// heard again, one of the two stays.
func (s *siege) cutOffFromThePacemaker() {
	s.t.Helper()
	host, others := s.busy()
	s.under("a host cut off from the pacemaker", others, func() {
		testkit.Must(s.t, s.lab.Cut(testkit.Bounded(s.t), lab.Cut{A: host.Name, B: "n1"}))
		s.awaitState(host, "dead")
		testkit.Eventually(s.t, "what was there to be replaced", func() bool { return len(s.ids()) == 3 })
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
	s.under("a host that comes and goes", others, func() {
		for range 3 {
			testkit.Must(s.t, s.lab.Cut(testkit.Bounded(s.t), lab.Cut{A: host.Name, B: "n1"}))
			s.awaitState(host, "dead")
			testkit.Eventually(s.t, "three instances elsewhere", func() bool { return len(s.ids()) == 3 })
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
	s.under("a pacemaker that hears nobody", s.lab.Hosts[1:], func() {
		for _, host := range s.lab.Hosts[1:] {
			testkit.Must(s.t, s.lab.Cut(testkit.Bounded(s.t), lab.Cut{A: host.Name, B: "n1"}))
		}
		testkit.Eventually(s.t, "it to say so", func() bool {
			return slices.ContainsFunc(asJSON[wire.Status](s.c, "status").Reasons, func(r string) bool { return strings.Contains(r, "so nothing is replaced") })
		})
		testkit.Eventually(s.t, "twice the time to pass", func() bool {
			return !slices.ContainsFunc(asJSON[[]wire.Node](s.c, "nodes"), func(n wire.Node) bool {
				return n.Name != "n1" && (n.HeardAgo == nil || *n.HeardAgo < 2*besiegedDeadAfter.Seconds())
			})
		})
		testkit.Must(s.t, s.lab.Heal(testkit.Bounded(s.t)))
		s.converges("after nobody was heard")
	})
	if after := s.ids(); !maps.Equal(after, before) || s.replacements() != replaced {
		s.t.Errorf("a pacemaker that heard nobody: got %v, want %v as before", after, before)
	}
}

// Nobody is dead for a pacemaker that was away itself.
func (s *siege) pacemakerIsKilled() {
	s.t.Helper()
	before, replaced := s.ids(), s.replacements()
	s.under("a pacemaker that is killed", s.lab.Hosts[1:], func() {
		testkit.Must(s.t, s.lab.Pacemaker().KillDaemon(testkit.Bounded(s.t)))
		tally, err := lab.Load{App: "shop", Rate: 50, For: 3 * besiegedDeadAfter, Via: s.lab.Hosts[1:]}.Run(testkit.Bounded(s.t), s.lab)
		testkit.Must(s.t, err)
		wantAnswered(s.t, "for three times its timeout", tally)
		testkit.Must(s.t, s.lab.Pacemaker().StartDaemon(testkit.Bounded(s.t)))
		s.converges("after the pacemaker was away")
	})
	if after := s.ids(); !maps.Equal(after, before) || s.replacements() != replaced {
		s.t.Errorf("a pacemaker that was away: got %v, want %v as before", after, before)
	}
}
