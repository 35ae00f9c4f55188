package pacemaker

import (
	"maps"
	"testing"

	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// configured changes config vars with a release that serves then.
func (r *rig) configured(app cluster.App, set map[string]string, unset ...string) {
	r.TB.Helper()
	op, _, err := r.ChangeConfig(r.TB.Context(), app, set, unset, "ann")
	testkit.Must(r.TB, err)
	if op.ID != "" {
		r.serves(op)
	}
}

func (r *rig) wantConfig(what string, app cluster.App, want map[string]string) {
	r.TB.Helper()
	got, err := r.store.Config(r.TB.Context(), app.ID)
	if err != nil || !maps.Equal(got, want) {
		r.TB.Errorf("%s: got config vars %v, %v, want %v", what, got, err, want)
	}
}

func TestRollback_RestoresTheConfigVars(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	repo := r.repoOf(app)
	r.configured(app, map[string]string{"GREETING": "hello", "KEPT": "1"})
	r.serves(r.pushed(app, "", repo.Commit("one")))
	now := map[string]string{"GREETING": "hi", "KEPT": "1", "DEBUG": "x"}
	r.configured(app, map[string]string{"GREETING": "hi", "DEBUG": "x"})

	failing, err := r.Rollback(t.Context(), app, Rollback{Number: 1}, "ann")
	testkit.Must(t, err)
	r.wantConfig("on its way", app, map[string]string{"GREETING": "hello", "KEPT": "1"})
	r.finish(failing, jobs.Failed)
	r.wantConfig("failed", app, now)
	code, err := r.Rollback(t.Context(), app, Rollback{Number: 1, CodeOnly: true}, "ann")
	testkit.Must(t, err)
	r.serves(code)
	r.wantConfig("of the code alone", app, now)
	whole, err := r.Rollback(t.Context(), app, Rollback{Number: 1}, "ann")
	testkit.Must(t, err)
	r.serves(whole)

	r.wantConfig("done", app, map[string]string{"GREETING": "hello", "KEPT": "1"})
	release, err := r.store.ReleaseByOperation(t.Context(), whole.ID)
	testkit.Must(t, err)
	if want := "rollback to v1: GREETING as then, without DEBUG"; release.Message != want {
		t.Errorf("got the release's message %q, want %q", release.Message, want)
	}
}

// A rollback that names no release goes to the newest one before that served well.
func TestRollback_GoesToTheLastThatServedWell(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	repo := r.repoOf(app)
	_, err := r.PlanRollback(t.Context(), app, Rollback{})
	wantNotFound(t, "without a release", err, "no earlier release to roll back to")
	one := repo.Commit("one")
	two := repo.Commit("two", one)
	r.serves(r.pushed(app, "", one)) // v1
	r.configured(app, map[string]string{"A": "1"})
	bad := r.pushed(app, one, two) // v3, which never serves
	r.released(bad)
	r.finish(bad, jobs.Failed)
	back := func() string {
		t.Helper()
		plan, err := r.PlanRollback(t.Context(), app, Rollback{})
		testkit.Must(t, err)
		op, err := r.Rollback(t.Context(), app, Rollback{}, "ann")
		testkit.Must(t, err)
		r.serves(op)
		return plan.To.Label()
	}

	if got := back(); got != "v1" { // v4, of v2, which has another config var
		t.Errorf("from v2: got %s, want v1", got)
	}
	_, err = r.PlanRollback(t.Context(), app, Rollback{})
	wantNotFound(t, "from v4", err, "v2 was rolled back from (aorta rollback v2 goes to it all the same)")
	r.configured(app, map[string]string{"A": "2"}) // v5
	if got := back(); got != "v4" {
		t.Errorf("from v5: got %s, want v4", got)
	}
}

// A change to what is there already restarts nothing, unless another change is
// on its way or was kept without a release.
func TestChangeConfig_ToWhatIsThereDoesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	r.configured(app, map[string]string{"A": "1"})
	r.serves(r.pushed(app, "", r.repoOf(app).Commit("one")))
	change := func(set map[string]string, unset ...string) (cluster.Operation, bool) {
		t.Helper()
		op, changed, err := r.ChangeConfig(t.Context(), app, set, unset, "ann")
		testkit.Must(t, err)
		return op, changed
	}

	same, changed := change(map[string]string{"A": "1"}, "NOT_THERE")
	if same.ID != "" || changed {
		t.Errorf("the same again: got operation %q, changed %t, want none", same.ID, changed)
	}
	other, changed := change(map[string]string{"A": "2"})
	if other.ID == "" || !changed {
		t.Fatalf("another value: got no operation")
	}
	if back, changed := change(map[string]string{"A": "1"}); back.ID == "" || !changed {
		t.Error("back while that is on its way: got nothing to do, want another change")
	}
}

// A change that waits for a deploy is made of what the deploy brought.
func TestChangeConfig_BehindADeployKeepsItsCode(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	repo := r.repoOf(app)
	one := repo.Commit("one")
	r.serves(r.pushed(app, "", one))
	two := repo.Commit("two", one)
	deploy := r.pushed(app, one, two)
	change, _, err := r.ChangeConfig(t.Context(), app, map[string]string{"A": "1"}, nil, "ann")
	testkit.Must(t, err)

	r.serves(deploy)
	r.serves(change)

	deployed, err := r.store.ReleaseByOperation(t.Context(), deploy.ID)
	testkit.Must(t, err)
	changed, err := r.store.ReleaseByOperation(t.Context(), change.ID)
	testkit.Must(t, err)
	if changed.BuildID != deployed.BuildID || changed.Commit != two {
		t.Errorf("the change's release is of build %s and commit %s, want %s and %s of the deploy before it", changed.BuildID, changed.Commit, deployed.BuildID, two)
	}
	vars, err := r.store.ReleaseConfig(t.Context(), deployed.ID)
	if err != nil || len(vars) > 0 {
		t.Errorf("the deploy's release has the config vars %v, %v, want none of the change behind it", vars, err)
	}
}
