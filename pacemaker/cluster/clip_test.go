package cluster_test

import (
	"strings"
	"testing"

	"aorta/pacemaker/cluster"
)

func TestClip_CutsBetweenCharacters(t *testing.T) {
	for s, want := range map[string]string{
		"":                               "",
		strings.Repeat("a", 80):          strings.Repeat("a", 80),
		strings.Repeat("a", 81):          strings.Repeat("a", 80) + "…",
		"a" + strings.Repeat("ü", 40):    "a" + strings.Repeat("ü", 39) + "…",
		strings.Repeat("a", 78) + "😀bcd": strings.Repeat("a", 78) + "…",
		strings.Repeat("\x80", 90):       strings.Repeat("\x80", 76) + "…",
	} {
		if got := cluster.Clip(s); got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
}
