package store

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// scaleOp begins an operation that asks for so many of each process type.
func scaleOp(t *testing.T, s *Store, app cluster.App, list ...cluster.Formation) cluster.ID {
	t.Helper()
	op := cluster.Operation{ID: cluster.NewID(), Kind: cluster.OpScale, AppID: app.ID, Title: "Scale", User: "ann"}
	testkit.Must(t, s.Begin(t.Context(), op, WithFormations(list)))
	return op.ID
}

func asked(typ string, n int) cluster.Formation { return cluster.Formation{Type: typ, Quantity: &n} }

func wantFormation(t *testing.T, s *Store, app cluster.App, what string, want ...string) {
	t.Helper()
	found, err := s.Formations(t.Context(), app.ID)
	testkit.Must(t, err)
	var got []string
	for _, typ := range slices.Sorted(maps.Keys(found)) {
		text := typ
		if n := found[typ].Quantity; n != nil {
			text += fmt.Sprintf("=%d", *n)
		}
		if m := found[typ].Limits.Memory; m != 0 {
			text += fmt.Sprintf(" %d", m)
		}
		for _, tag := range found[typ].Tags.Require {
			text += " " + tag.String()
		}
		got = append(got, text)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: got the formation %q, want %q", what, got, want)
	}
}

func TestFormationChange_ThatFailsIsTakenBack(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	app, op := newApp(t, s, "shop")
	release := newRelease(t, s, op)
	testkit.Must(t, s.Promote(t.Context(), Promotion{App: app.ID, Release: release.ID}))
	ends(t, s, op.ID, cluster.OperationSucceeded)

	first := ends(t, s, scaleOp(t, s, app, asked("web", 3)), cluster.OperationFailed)
	wantFormation(t, s, app, "nothing was asked before")
	ends(t, s, scaleOp(t, s, app, asked("web", 2)), cluster.OperationSucceeded)
	second := ends(t, s, scaleOp(t, s, app, asked("web", 3), asked("worker", 1)), cluster.OperationAborted)
	wantFormation(t, s, app, "another number was", "web=2")
	two := 2
	third := ends(t, s, scaleOp(t, s, app, cluster.Formation{Type: "web", Quantity: &two, Limits: cluster.Limits{Memory: 64}}), cluster.OperationFailed)
	wantFormation(t, s, app, "other limits were", "web=2")

	ssd := cluster.Tags{Require: []cluster.Tag{{Key: "disk", Value: "ssd"}}}
	ends(t, s, scaleOp(t, s, app, cluster.Formation{Type: "web", Quantity: &two, Tags: ssd}), cluster.OperationSucceeded)
	wantFormation(t, s, app, "with tags", "web=2 disk=ssd")
	fourth := ends(t, s, scaleOp(t, s, app, asked("web", 2)), cluster.OperationFailed)
	wantFormation(t, s, app, "other tags were", "web=2 disk=ssd")
	ends(t, s, scaleOp(t, s, app, asked("web", 2)), cluster.OperationSucceeded)

	for _, c := range []struct {
		op   cluster.Operation
		want string
	}{
		{fourth, "it exited with 1. The formation is as before: the tags of web (a retry changes that again)"},
		{first, "it exited with 1. The formation is as before: web=1 (a retry changes that again)"},
		{second, "it exited with 1. The formation is as before: web=2, worker=0 (a retry changes that again)"},
		{third, "it exited with 1. The formation is as before: the limits of web (a retry changes that again)"},
	} {
		if c.op.Error != c.want {
			t.Errorf("got the cause %q, want %q", c.op.Error, c.want)
		}
	}
}

func TestFormationChange_ThatIsLiveStays(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	app, _ := newApp(t, s, "shop")
	id := scaleOp(t, s, app, asked("web", 3))
	testkit.Must(t, s.Promote(t.Context(), Promotion{Cause: id, App: app.ID}))

	op := ends(t, s, id, cluster.OperationFailed)

	wantFormation(t, s, app, "live", "web=3")
	if strings.Contains(op.Error, "formation") {
		t.Errorf("got the cause %q, want nothing of the formation in it", op.Error)
	}
}

func TestFormationChange_ThatFailsLeavesLaterOnesAlone(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	app, _ := newApp(t, s, "shop")
	ends(t, s, scaleOp(t, s, app, asked("web", 1)), cluster.OperationSucceeded)
	first := scaleOp(t, s, app, asked("web", 3))
	second := scaleOp(t, s, app, asked("web", 2))

	ends(t, s, first, cluster.OperationFailed)
	wantFormation(t, s, app, "the first failed", "web=2")
	ends(t, s, second, cluster.OperationFailed)
	wantFormation(t, s, app, "the second too", "web=1")
}

func TestFormationChange_IsMadeAgainByARetry(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	app, _ := newApp(t, s, "shop")
	failed := scaleOp(t, s, app, asked("web", 3))
	ends(t, s, failed, cluster.OperationFailed)
	again := cluster.Operation{ID: cluster.NewID(), Kind: cluster.OpScale, AppID: app.ID, Title: "Scale", User: "bob"}

	testkit.Must(t, s.Begin(t.Context(), again, WithFormationsOf(failed)))

	wantFormation(t, s, app, "retried", "web=3")
	ends(t, s, again.ID, cluster.OperationFailed)
	wantFormation(t, s, app, "failed again")
}
