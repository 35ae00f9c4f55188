package main_test

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/internal/testkit/lab"
)

// A host loses its power while the pacemaker's has none. Once it is back, it runs what
// it ran and its router serves that, all from its own disk; and when the pacemaker is
// back, nothing is there that was not before.
func TestLab_AHostBootsWhileThePacemakerIsAway(t *testing.T) {
	t.Parallel()
	s := besiege(t, &besieged)
	host, others := s.busy()
	before, replaced := s.ids(), s.replacements()
	s.keeps(host, before)

	s.cut = true
	s.under("F6: a host boots while the pacemaker's has no power", others, func(cost *lab.Cost) {
		testkit.Must(t, s.lab.Pacemaker().Kill(testkit.Bounded(t)))
		cost.Strikes()
		testkit.Must(t, host.Kill(testkit.Bounded(t)))
		cost.Ends()
		testkit.Must(t, host.Boot(testkit.Bounded(t)))
		s.serves(host, before)
		cost.Whole()
		testkit.Must(t, s.lab.Pacemaker().Boot(testkit.Bounded(t)))
		s.converges("after the pacemaker came back")
	})

	if after := s.ids(); !maps.Equal(after, before) || s.replacements() != replaced {
		t.Errorf("got %v, want %v as before", after, before)
	}
}

// keeps waits until the host's router has a table with all of the instances on its disk.
func (s *siege) keeps(host *lab.Host, at map[string]string) {
	s.t.Helper()
	testkit.Eventually(s.t, "the table on the disk of "+host.Name, func() bool {
		table, _ := os.ReadFile(filepath.Join(host.Disk(), "data", "router", "routes.table"))
		for id := range at {
			if !bytes.Contains(table, []byte(id)) {
				return false
			}
		}
		return true
	})
}

// serves waits until the host's router is answered by the host's own instance, and wants
// all that is asked through it answered from then on.
func (s *siege) serves(host *lab.Host, at map[string]string) {
	s.t.Helper()
	ask := lab.Load{App: "shop", Rate: 50, For: time.Second, Via: []*lab.Host{host}}
	testkit.Eventually(s.t, "the instance on "+host.Name+" to answer through its router", func() bool {
		tally, err := ask.Run(testkit.Bounded(s.t), s.lab)
		testkit.Must(s.t, err)
		for by := range tally.Instances {
			_, id, _ := strings.Cut(by, " ")
			if at[id] == host.Name {
				return true
			}
		}
		return false
	})
	tally, err := ask.Run(testkit.Bounded(s.t), s.lab)
	testkit.Must(s.t, err)
	wantAnswered(s.t, "through "+host.Name, tally)
}

// The pacemaker's daemon stands still for three times the timeout: nobody is dead for
// it, what runs is not touched, and it hears of what ended meanwhile.
func TestLab_ThePacemakerStandsStill(t *testing.T) {
	t.Parallel()
	s := besiege(t, &besieged)
	n1 := s.lab.Pacemaker()
	spare := s.c.newApp("spare", "hello")
	spare.deploy()
	before, replaced := s.runs("shop"), s.replacements()
	ended, end := s.ender(spare)

	s.under("F3: the pacemaker stands still", s.lab.Hosts[1:], func(cost *lab.Cost) {
		cost.Strikes()
		testkit.Must(t, n1.FreezeDaemon())
		s.lasts(2 * deadAfter())
		end()
		s.lasts(deadAfter())
		said := len(n1.Log())
		cost.Ends()
		testkit.Must(t, n1.ThawDaemon())
		testkit.Eventually(t, "what ended meanwhile to be known", func() bool {
			list := s.c.ps("spare")
			return len(list) == 1 && list[0].ID == ended && list[0].Restarts == 1 && list[0].State == "running"
		})
		cost.Whole()
		s.lasts(deadAfter())
		if log := n1.Log()[said:]; strings.Contains(log, "now=dead") || strings.Contains(log, "now=suspect") {
			t.Errorf("in the first whole timeout the pacemaker said\n%s\nwant no node missed", log)
		}
	})

	s.converges("after the pacemaker stood still")
	if after := s.runs("shop"); after != before || s.replacements() != replaced {
		t.Errorf("got the containers\n%s\nwant those of before\n%s", after, before)
	}
	spare.destroy()
}

// lasts has time pass, in which the app is asked through all routers and answers.
func (s *siege) lasts(d time.Duration) {
	s.t.Helper()
	tally, err := lab.Load{App: "shop", Rate: 10, For: d}.Run(testkit.Bounded(s.t), s.lab)
	testkit.Must(s.t, err)
	wantAnswered(s.t, "for "+d.String(), tally)
}

// ender finds the app's one instance, and ends it as the kernel ends what it must.
func (s *siege) ender(p *project) (id string, end func()) {
	s.t.Helper()
	for _, host := range s.lab.Hosts {
		at := on(s.t, host)
		if ids := (&project{c: at, name: p.name}).containers(); len(ids) == 1 {
			name := at.engine("inspect", "-f", "{{.Name}}", ids[0])[0]
			return strings.TrimPrefix(name, "/"), func() { at.engine("kill", ids[0]) }
		}
	}
	s.t.Fatalf("no host runs %s", p.name)
	return "", nil
}
