package pages

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"aorta/internal/testkit"
)

// resident is how much of the program's file the kernel says is in this process's
// memory, in its own words.
func resident(t *testing.T) (kb int) {
	t.Helper()
	raw, err := os.ReadFile("/proc/self/status")
	testkit.Must(t, err)
	_, rest, _ := strings.Cut(string(raw), "RssFile:")
	kb, err = strconv.Atoi(strings.Fields(rest)[0])
	testkit.Must(t, err)
	return kb
}

func TestDrop_GivesBackWhatIsNotInUse(t *testing.T) {
	before := resident(t)

	testkit.Must(t, Drop())

	if after := resident(t); after >= before {
		t.Errorf("got %d kB of files in memory, and %d kB before", after, before)
	}
}

func TestMappings_AreThoseOfTheProgramThatNobodyWrites(t *testing.T) {
	all, err := mappings()

	testkit.Must(t, err)
	if len(all) == 0 || len(all) > 3 {
		t.Errorf("got %d, want the code and what does not change", len(all))
	}
}
