package api_test

import (
	"net/http"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/web/internal/rig"
	"aorta/web/wire"
)

// People read most about instances that have ended, by the name that stands before
// their lines.
func TestReadLogs_OfAnInstanceThatIsGone(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	app, err := r.Pace.CreateApp(t.Context(), "shop", "admin")
	testkit.Must(t, err)
	r.Print(app.ID, "web", "its last words")
	all := rig.As[wire.Page[wire.LogLine]](t, r.Admin("GET", "/apps/shop/logs", ""))
	gone := cluster.ID(all.Items[0].Instance)

	for _, name := range []string{"web." + gone.Short(), gone.Short(), string(gone)} {
		page := rig.As[wire.Page[wire.LogLine]](t, r.Admin("GET", "/apps/shop/logs?instance="+name, ""))
		if len(page.Items) != 1 || page.Items[0].Text != "its last words" {
			t.Errorf("%s: got %+v, want its line", name, page.Items)
		}
	}
	rig.WantProblem(t, r.Do(rig.Ask{Method: "GET", Path: "/apps/shop/logs?instance=worker." + gone.Short(), Token: rig.AdminToken}), http.StatusNotFound)
}
