package pacemaker

import (
	"fmt"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// So many config vars that each change of one would hold up all others are refused,
// at once and one change after the other.
func TestConfig_BoundsHowManyVarsAnAppHas(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	vars := func(prefix string, n int) map[string]string {
		set := map[string]string{}
		for i := range n {
			set[fmt.Sprintf("%s%d", prefix, i)] = ""
		}
		return set
	}
	refused := func(what string, err error, text string) {
		t.Helper()
		if cluster.CodeOf(err) != cluster.CodeInvalid || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: got %v, want it refused with %q", what, err, text)
		}
	}

	_, _, err := r.ChangeConfig(t.Context(), app, vars("A", 1001), nil, "ann")
	refused("all at once", err, "1001 config vars are too many; an app may have 1000")
	_, _, err = r.ChangeConfig(t.Context(), app, vars("A", 1000), nil, "ann")
	testkit.Must(t, err)
	_, _, err = r.ChangeConfig(t.Context(), app, vars("B", 1), nil, "ann")
	refused("one more", err, "1001 config vars are too many")
	_, _, err = r.ChangeConfig(t.Context(), app, vars("B", 1), []string{"A0"}, "ann")
	testkit.Must(t, err)
	_, err = r.ChangeBuildSecrets(t.Context(), app, vars("s", 101), nil, "ann")
	refused("build secrets", err, "101 build secrets are too many; an app may have 100")
}
