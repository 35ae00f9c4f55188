package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/testkit"
	"aorta/web/internal/rig"
	"aorta/web/wire"
)

// What a person pastes is read as the command line reads the file, and nothing is
// set by that.
func TestConfig_ParsesAFileAndSetsNothing(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	_, err := r.Pace.CreateApp(t.Context(), "shop", "admin")
	testkit.Must(t, err)

	got := rig.As[wire.Config](t, r.Admin("POST", "/apps/shop/config/parse", `{"text":"# said\nexport A=1\nB=\"two\\nlines\" # end\n"}`))
	bad := r.Do(rig.Ask{Method: "POST", Path: "/apps/shop/config/parse", Token: rig.AdminToken, Body: `{"text":"A=1\nnonsense"}`})
	kept := rig.As[wire.Config](t, r.Admin("GET", "/apps/shop/config", ""))

	if diff := cmp.Diff(map[string]string{"A": "1", "B": "two\nlines"}, got.Vars); diff != "" {
		t.Errorf("vars (-want +got):\n%s", diff)
	}
	if p := rig.WantProblem(t, bad, http.StatusUnprocessableEntity); !strings.HasPrefix(p.Detail, "line 2 is not") {
		t.Errorf("got %q, want the line", p.Detail)
	}
	if len(kept.Vars) != 0 {
		t.Errorf("got %v set, want nothing", kept.Vars)
	}
}
