package main_test

import (
	"path/filepath"
	"testing"

	"aorta/internal/testkit"
	"aorta/internal/testkit/lab"
)

// A host's daemon is killed again and again, and another program takes its place, as an
// upgrade does: its containers are adopted as they are, and no request fails.
func TestLab_AnotherProgramAdoptsWhatRuns(t *testing.T) {
	t.Parallel()
	s := besiege(t, &four)
	host, _ := s.busy()
	before, replaced := s.runs("shop"), s.replacements()
	t.Cleanup(func() { host.Daemon = "" }) // the next start is of the lab's own again

	s.under("F5: a heart is killed and its program replaced", s.lab.Hosts, func(cost *lab.Cost) {
		cost.Strikes()
		for _, program := range []string{"", "", filepath.Join(bin, watched, "aortad"), ""} {
			testkit.Must(t, host.KillDaemon(testkit.Bounded(t)))
			host.Daemon = program
			testkit.Must(t, host.StartDaemon(testkit.Bounded(t)))
		}
		cost.Whole()
	})

	s.converges("after the last program")
	for _, in := range s.c.ps("shop") {
		if in.Restarts != 0 || in.Crashing {
			t.Errorf("got instance %+v, want none that was started again", in)
		}
	}
	if after := s.runs("shop"); after != before || s.replacements() != replaced {
		t.Errorf("got the containers\n%s\nwant those of before\n%s", after, before)
	}
}
