package store

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// configOp begins an operation that sets and unsets config vars.
func configOp(t *testing.T, s *Store, app cluster.App, set map[string]string, unset ...string) cluster.ID {
	t.Helper()
	op := cluster.Operation{ID: cluster.NewID(), Kind: cluster.OpRelease, AppID: app.ID, Title: "Change config vars", User: "ann"}
	testkit.Must(t, s.Begin(t.Context(), op, WithConfig(app, set, unset)))
	return op.ID
}

func ends(t *testing.T, s *Store, id cluster.ID, state cluster.OperationState) cluster.Operation {
	t.Helper()
	testkit.Must(t, s.EndOperation(t.Context(), Ending{ID: id, State: state, Error: "it exited with 1", Tree: []byte("{}"), Log: []byte("[]")}))
	op, err := s.Operation(t.Context(), id)
	testkit.Must(t, err)
	return op
}

func wantConfig(t *testing.T, s *Store, app cluster.App, what string, want map[string]string) {
	t.Helper()
	got, err := s.Config(t.Context(), app.ID)
	testkit.Must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestConfigChange_ThatFailsIsTakenBack(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	app, _ := newApp(t, s, "shop")
	before := map[string]string{"KEPT": "1", "CHANGED": "1", "GONE": "1"}
	testkit.Must(t, s.ChangeConfig(t.Context(), app, before, nil, "ann"))

	for _, state := range []cluster.OperationState{cluster.OperationFailed, cluster.OperationAborted} {
		op := ends(t, s, configOp(t, s, app, map[string]string{"CHANGED": "2", "NEW": "2"}, "GONE"), state)

		wantConfig(t, s, app, string(state), before)
		if want := "it exited with 1. The config vars are as before: CHANGED has its former value, GONE is set, NEW is not set (a retry changes that again)"; op.Error != want {
			t.Errorf("%s: got the cause %q, want %q", state, op.Error, want)
		}
	}
	op := ends(t, s, configOp(t, s, app, map[string]string{"CHANGED": "2", "NEW": "2"}, "GONE"), cluster.OperationSucceeded)
	wantConfig(t, s, app, "succeeded", map[string]string{"KEPT": "1", "CHANGED": "2", "NEW": "2"})
	if strings.Contains(op.Error, "config vars") {
		t.Errorf("succeeded: got the cause %q", op.Error)
	}
}

func TestConfigChange_ThatFailsLeavesLaterOnesAlone(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	app, _ := newApp(t, s, "shop")
	testkit.Must(t, s.ChangeConfig(t.Context(), app, map[string]string{"A": "0", "B": "0"}, nil, "ann"))
	first := configOp(t, s, app, map[string]string{"A": "1", "B": "1"})
	second := configOp(t, s, app, map[string]string{"A": "2"}, "B")
	third := configOp(t, s, app, map[string]string{"B": "3"})

	ends(t, s, first, cluster.OperationFailed)
	wantConfig(t, s, app, "the first failed", map[string]string{"A": "2", "B": "3"})
	ends(t, s, second, cluster.OperationFailed)
	wantConfig(t, s, app, "the second too", map[string]string{"A": "0", "B": "3"})
	ends(t, s, third, cluster.OperationFailed)
	wantConfig(t, s, app, "all failed", map[string]string{"A": "0", "B": "0"})
}

func TestConfigChange_IsMadeAgainByARetry(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	app, _ := newApp(t, s, "shop")
	testkit.Must(t, s.ChangeConfig(t.Context(), app, map[string]string{"A": "0", "B": "0"}, nil, "ann"))
	failed := configOp(t, s, app, map[string]string{"A": "1"}, "B")
	ends(t, s, failed, cluster.OperationFailed)
	again := cluster.Operation{ID: cluster.NewID(), Kind: cluster.OpRelease, AppID: app.ID, Title: "Change config vars", User: "bob"}

	testkit.Must(t, s.Begin(t.Context(), again, WithConfigOf(failed)))

	wantConfig(t, s, app, "retried", map[string]string{"A": "1"})
	ends(t, s, again.ID, cluster.OperationFailed)
	wantConfig(t, s, app, "failed again", map[string]string{"A": "0", "B": "0"})
}

// An operation whose turn has not come has changed nothing of what serves.
func TestConfigChange_IsInNoReleaseBeforeItsTurn(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	app, deploy := newApp(t, s, "shop")
	testkit.Must(t, s.ChangeConfig(t.Context(), app, map[string]string{"A": "0", "B": "0"}, nil, "ann"))
	build, err := s.Build(t.Context(), cluster.DeriveID(deploy.ID, "build", 0))
	testkit.Must(t, err)
	first := configOp(t, s, app, map[string]string{"A": "1", "NEW": "1"})
	second := configOp(t, s, app, map[string]string{"A": "2"}, "B")
	madeBy := func(op cluster.ID) map[string]string {
		release, err := s.CreateRelease(t.Context(), NewRelease{Operation: cluster.Operation{ID: op, AppID: app.ID}, Build: build})
		testkit.Must(t, err)
		vars, err := s.ReleaseConfig(t.Context(), release.ID)
		testkit.Must(t, err)
		return vars
	}

	got := []map[string]string{madeBy(deploy.ID), madeBy(first), madeBy(second)}

	want := []map[string]string{{"A": "0", "B": "0"}, {"A": "1", "B": "0", "NEW": "1"}, {"A": "2", "NEW": "1"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the releases of a deploy and of two changes behind it (-want +got):\n%s", diff)
	}
}

func TestFormationChange_CountsForNoOperationBeforeIt(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	app, deploy := newApp(t, s, "shop")
	scaled := func(n int) cluster.ID {
		op := cluster.Operation{ID: cluster.NewID(), Kind: cluster.OpScale, AppID: app.ID, Title: "Scale", User: "ann"}
		testkit.Must(t, s.Begin(t.Context(), op, WithFormations([]cluster.Formation{{AppID: app.ID, Type: "web", Quantity: &n}})))
		return op.ID
	}
	two, three := scaled(2), scaled(3)

	var got []int
	for _, op := range []cluster.ID{deploy.ID, two, three} {
		asked, err := s.FormationsFor(t.Context(), app.ID, op)
		testkit.Must(t, err)
		n := 0
		if q := asked["web"].Quantity; q != nil {
			n = *q
		}
		got = append(got, n)
	}

	if diff := cmp.Diff([]int{0, 2, 3}, got); diff != "" {
		t.Errorf("what a deploy and two changes behind it find asked (-want +got):\n%s", diff)
	}
}
