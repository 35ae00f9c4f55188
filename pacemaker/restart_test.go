package pacemaker

import (
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// People name instances as they see them, and process types as on other platforms.
func TestRestart_OfAnInstanceATypeOrAll(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app, n := r.App("shop"), r.newNode("n1", cluster.RoleHeart)
	release := r.Deploy(app, cluster.ProcessType{Name: "web"}, cluster.ProcessType{Name: "worker"})
	web := r.Instance(release, "web", n)
	r.Instance(release, "worker", n)
	r.Instance(release, "worker", n)

	for name, want := range map[string]struct {
		title string
		n     int
	}{
		string(web): {"Restart web." + web.Short() + " of shop", 1}, web.Short(): {"Restart web." + web.Short() + " of shop", 1},
		"worker": {"Restart worker of shop", 2}, "": {"Restart shop", 3},
	} {
		op, err := r.Restart(t.Context(), app, name, "ann")
		testkit.Must(t, err)
		req, err := op.Request()
		testkit.Must(t, err)
		if op.Title != want.title || len(req.Replace) != want.n {
			t.Errorf("%q: got %q of %d, want %q of %d", name, op.Title, len(req.Replace), want.title, want.n)
		}
	}
	if _, err := r.Restart(t.Context(), app, "clock", "ann"); cluster.CodeOf(err) != cluster.CodeNotFound {
		t.Errorf("got %v, want no instance of that name", err)
	}
}
