package main_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/internal/testkit/lab"
)

// A second pacemaker is refused on the database of the first, as on a disk that two
// hosts share, and on a copy of it: it hears where the first one is. That one works on.
func TestLab_ASecondPacemakerIsRefused(t *testing.T) {
	t.Parallel()
	s := besiege(t, &four)
	n1, n3 := s.lab.Pacemaker(), s.lab.Hosts[2]
	data, copied := filepath.Join(n1.Disk(), "data"), filepath.Join(testkit.ShortDir(t), "data")
	if out, err := exec.CommandContext(testkit.Bounded(t), "cp", "-a", data, copied).CombinedOutput(); err != nil {
		t.Fatalf("copy: %v: %s", err, out)
	}
	before := s.runs("shop")

	s.under("F22: a second pacemaker starts", s.lab.Hosts, func(cost *lab.Cost) {
		at := on(t, n3)
		cost.Strikes()
		for dir, want := range map[string]string{data: " on host n1 since ", copied: copied + " is a copy of " + data} {
			r := at.run(at.dir, filepath.Join(bin, "aortad"), "run", "--data-dir", dir, "--run-dir", at.dir+"/run", "--docker-host", n3.Engine(),
				"--roles", "pacemaker", "--listen", n3.Address()+":7520", "--node-address", n3.Address())
			if r.code != 3 || !strings.Contains(r.err, want) {
				t.Errorf("in %s: got exit %d and\n%s\nwant exit 3 and %q", dir, r.code, r.err, want)
			}
		}
		cost.Known()
		s.c.aorta("config", "set", "A=1", "-a", "shop")
	})

	s.converges("after a second pacemaker")
	if after := s.runs("shop"); after == before {
		t.Errorf("got the containers of before, want those of another release:\n%s", after)
	}
}
