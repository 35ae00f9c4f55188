package scripts_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aorta/internal/testkit"
)

// lab types a command of scripts/lab, and wants these words in what it says.
func (s *shipped) lab(t *testing.T, line string, words ...string) {
	t.Helper()
	said := s.run(t, ".", "./lab", strings.Fields(line)...)
	plain := strings.Join(strings.Fields(said), " ")
	for _, w := range words {
		if !strings.Contains(plain, w) {
			t.Errorf("scripts/lab %s: got\n%s\nwant %q in it", line, said, w)
		}
	}
}

// Two hosts, as a person plays with them.
func TestLab_IsPlayedWith(t *testing.T) {
	if testing.Short() {
		t.Skip("a quick check starts no cluster")
	}
	dir := testkit.ShortDir(t)
	s := &shipped{dir: dir, env: append(os.Environ(), "STATE="+dir+"/state", "CGO_ENABLED=0", "SHELL=/bin/true")}
	t.Cleanup(func() { s.run(t, ".", "./clean.sh") })
	ok := func(n, failed int) string { return fmt.Sprintf("%d ok, %d failed", n, failed) }

	s.lab(t, "up 2 --roles n2=router", "2 hosts are up", "n2 10.77.0.2 fd77::2 router", "scripts/lab down")
	s.lab(t, "load hello --rate 50/s --for 1s", ok(50, 0), "through n1 25 ok 0 failed", "through n2 25 ok 0 failed", "by v1 ")
	s.lab(t, "cut n2 n1")
	s.lab(t, "status", "cut n2 n1")
	s.lab(t, "load hello --rate 10/s --for 1s --via n2", ok(0, 10))
	s.lab(t, "heal")
	s.lab(t, "load hello --rate 10/s --for 1s --via n2 --post", ok(10, 0))
	s.lab(t, "kill n2")
	s.lab(t, "status", "n2 10.77.0.2 fd77::2 router 0 MB off")
	s.lab(t, "boot n2")
	s.lab(t, "load hello --rate 10/s --for 1s --via n2", ok(10, 0))
	s.lab(t, "run n2 hostname", "n2")
	s.lab(t, "run n2 aorta nodes", "n1 ready", "n2 ready")
	s.lab(t, "shell client")
	s.run(t, ".", "./clean.sh")

	if left, _ := filepath.Glob(dir + "/*"); len(left) > 0 {
		t.Errorf("make clean has left %v", left)
	}
}
