package pacemaker

import (
	"slices"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// An app that asks for many images again has one made after the other, so that it
// fills no builder; its deploys don't wait for that.
func TestReconcile_BuildsOfGoneImagesTakeTurns(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	r.Deploy(app, cluster.ProcessType{Name: "web"})
	first, err := r.Rebuild(t.Context(), app, 0, "ann")
	testkit.Must(t, err)
	second, err := r.Rebuild(t.Context(), app, 0, "ann")
	testkit.Must(t, err)
	deploy, err := r.DeployImage(t.Context(), app, "img:1", "", "ann")
	testkit.Must(t, err)

	planted := r.round()
	r.End(first.ID)
	later := r.round()

	slices.Sort(planted)
	if want := []string{string(first.ID), string(deploy.ID)}; !slices.Equal(planted, want) || !slices.Equal(later, []string{string(second.ID)}) {
		t.Errorf("got %v, then %v; want %v, then the other", planted, later, want)
	}
}

func TestCancelBuild_NamesTheOneThatIsMeant(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	r.Deploy(app, cluster.ProcessType{Name: "web"})
	cancel := func(name string) (cluster.ID, error) {
		op, err := r.CancelBuild(t.Context(), app, name, "ann")
		return op.ID, err
	}

	_, none := cancel("")
	rebuild, err := r.Rebuild(t.Context(), app, 0, "ann")
	testkit.Must(t, err)
	deploy, err := r.DeployImage(t.Context(), app, "img:1", "", "ann")
	testkit.Must(t, err)
	_, either := cancel("")
	_, unknown := cancel("nothing")
	named, err := cancel(deploy.ID.Short())
	testkit.Must(t, err)
	only, err := cancel("")
	testkit.Must(t, err)

	_, again := cancel(deploy.ID.Short())
	_, whole := cancel(string(rebuild.ID))
	scale, err := r.Restart(t.Context(), app, "", "ann")
	testkit.Must(t, err)
	_, noBuild := cancel(scale.ID.Short())

	for want, err := range map[string]error{
		"job " + deploy.ID.Short() + " (" + deploy.Title + ") has been cancelled already":       again,
		"job " + rebuild.ID.Short() + " (" + rebuild.Title + ") has been cancelled already":     whole,
		"has no build that runs or waits; to end the job: aorta jobs abort " + scale.ID.Short(): noBuild,
		"has no build that runs or waits":            none,
		"has several builds; name one: ":             either,
		"build \"nothing\" of app \"shop\" does not": unknown,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if named != deploy.ID || only != rebuild.ID {
		t.Errorf("got %s and %s cancelled, want %s and %s", named, only, deploy.ID, rebuild.ID)
	}
	for _, id := range []cluster.ID{deploy.ID, rebuild.ID} {
		if op, err := r.store.Operation(t.Context(), id); err != nil || op.State != cluster.OperationAborted {
			t.Errorf("got %+v, %v; want it aborted", op, err)
		}
	}
}
