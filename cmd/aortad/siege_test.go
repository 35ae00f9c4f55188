package main_test

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"aorta/internal/config"
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

// besieged are four hosts as in four, where one counts as dead sooner.
var besieged = hosts{specs: func() []lab.Spec {
	specs := lab.Specs(4)
	specs[0].Flags = []string{"--dead-after=" + deadAfter().String()}
	return specs
}}

var (
	realTimes = flag.Bool("defaults", false, "hosts count as dead after the product's own time, where tests else have a shorter one")
	costsFile = flag.String("costs", "", "the file that gets the table of what faults of hosts cost")
)

// deadAfter is for how long besieged hosts may be silent.
func deadAfter() time.Duration {
	if *realTimes {
		return config.Default().DeadAfter
	}
	return 8 * time.Second
}

// costs are what the faults of hosts cost in all tests of this run.
var costs lab.Costs

// writeCosts leaves the table where it was asked for.
func writeCosts() error {
	if *costsFile == "" {
		return nil
	}
	var table bytes.Buffer
	if err := costs.Print(&table); err != nil {
		return err
	}
	return os.WriteFile(*costsFile, table.Bytes(), 0o644)
}

// besiege has three instances of the app run on hosts of a lab.
func besiege(t *testing.T, h *hosts) *siege {
	t.Helper()
	s := &siege{t: t, lab: h.use(t)}
	s.c = on(t, s.lab.Pacemaker())
	s.app = &project{c: s.c, name: "shop", dir: s.c.dir}
	s.c.aorta("ps", "scale", "-a", "shop", "web=3")
	t.Cleanup(func() {
		if !t.Failed() {
			s.c.aorta("ps", "scale", "-a", "shop", "web=1")
		}
	})
	s.converges("at first")
	return s
}

// under has clients ask through the routers of hosts while a fault happens: no GET
// fails, and a POST only where it was in flight on what was cut off.
func (s *siege) under(fault string, via []*lab.Host, happens func(*lab.Cost)) {
	s.t.Helper()
	cost := &lab.Cost{Fault: fault}
	get, post := loading(s.t, s.lab, lab.Load{App: "shop", Rate: 50, Via: via}), loading(s.t, s.lab, lab.Load{App: "shop", Rate: 20, Via: via, Post: true})
	happens(cost)
	cost.Posts, cost.Gets = post(), get()
	wantAnswered(s.t, fault+", GET", cost.Gets)
	for cause, n := range cost.Posts.Causes {
		if !s.cut || !inFlight(cause) {
			s.t.Errorf("%s: %d POSTs failed by %q", fault, n, cause)
		}
	}
	s.t.Log(cost)
	costs.Add(cost)
}

// inFlight says whether a request failed since the machine that had it was lost.
func inFlight(cause string) bool {
	return strings.Contains(cause, "does not answer any more") || strings.Contains(cause, "closed the connection")
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

// runs are the containers of an app on all hosts, with when they started.
func (s *siege) runs(app string) string {
	s.t.Helper()
	var all []string
	for _, host := range s.lab.Hosts {
		at := on(s.t, host)
		if ids := (&project{c: at, name: app}).containers(); len(ids) > 0 {
			lines := at.engine(append([]string{"inspect", "-f", "{{.Name}}={{.Id}}={{.State.StartedAt}}"}, ids...)...)
			all = append(all, lines...)
		}
	}
	return strings.Join(slices.Sorted(slices.Values(all)), "\n")
}
