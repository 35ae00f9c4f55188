package procs

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
)

// A daemon's session has its weight after a start, and after an adoption by who has
// another one in mind.
func TestDaemon_ItsSessionHasItsWeight(t *testing.T) {
	spec := sleeper(t.TempDir(), "weighty")

	for _, nice := range []int{5, -10} { // of the start, then of an adoption
		spec.SessionNice = nice
		d := open(t, spec)

		got, err := os.ReadFile(procPath(d.Pid(), "autogroup"))
		if errors.Is(err, fs.ErrNotExist) {
			continue // a kernel without it: that the daemon runs is all there is
		}
		if want := (map[int]string{5: " nice 5", -10: " nice -10"})[nice]; err != nil || !strings.HasSuffix(strings.TrimSpace(string(got)), want) {
			t.Errorf("got %q, %v, want it to end with %q", got, err, want)
		}
	}
}
