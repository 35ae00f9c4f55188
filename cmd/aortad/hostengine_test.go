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

// The engine of a host is killed, restarted and stands still: its containers live on and
// serve, nobody takes them for dead, and it is named until it is back.
func TestLab_AnEngineIsAwayAndItsContainersServe(t *testing.T) {
	t.Parallel()
	s := besiege(t, &besieged)
	host, _ := s.busy()
	before, at, replaced := s.runs("shop"), s.ids(), s.replacements()
	must := func(err error) { t.Helper(); testkit.Must(t, err) }

	for _, fault := range []struct {
		name          string
		strikes, ends func()
	}{
		{"F15: an engine is killed", func() { must(host.KillEngine(testkit.Bounded(t))) }, func() { must(host.StartEngine(testkit.Bounded(t))) }},
		{"F15: an engine is stopped", func() { must(host.StopEngine(testkit.Bounded(t))) }, func() { must(host.StartEngine(testkit.Bounded(t))) }},
		{"F15: an engine stands still", func() { must(host.FreezeEngine()) }, func() { must(host.ThawEngine()) }},
	} {
		s.under(fault.name, s.lab.Hosts, func(cost *lab.Cost) {
			cost.Strikes()
			fault.strikes()
			testkit.Eventually(t, "the engine to be named", func() bool { return s.says("Docker engine", host.Name) })
			cost.Known()
			s.lasts(deadAfter())
			if now := s.ids(); !maps.Equal(now, at) {
				t.Errorf("%s: got instances %v, want %v as before", fault.name, now, at)
			}
			cost.Ends()
			fault.ends()
			testkit.Eventually(t, "the engine to be in order", func() bool { return !s.says("Docker engine", host.Name) })
			cost.Whole()
		})
		s.converges("after " + fault.name)
	}

	if after := s.runs("shop"); after != before || s.replacements() != replaced {
		t.Errorf("got the containers\n%s\nwant those of before\n%s", after, before)
	}
}

// says tells whether aorta status gives a reason with all of the texts.
func (s *siege) says(texts ...string) bool {
	s.t.Helper()
	return slices.ContainsFunc(asJSON[wire.Status](s.c, "status").Reasons, func(reason string) bool {
		return !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(reason, text) })
	})
}
