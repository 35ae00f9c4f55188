package store

import (
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// Whichever of an abort and a promotion comes first, the other one is refused.
func TestMarkAborted_ExcludesThatTheChangeServes(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	app, first := newApp(t, s, "shop")
	second := newDeploy(t, s, app)
	node := newNode(t, s, "n1")
	releaseOf := func(op cluster.Operation) cluster.ID {
		build, err := s.Build(t.Context(), cluster.DeriveID(op.ID, "build", 0))
		testkit.Must(t, err)
		release, err := s.CreateRelease(t.Context(), NewRelease{Operation: op, Build: build})
		testkit.Must(t, err)
		return release.ID
	}
	one, two := releaseOf(first), releaseOf(second)

	testkit.Must(t, s.Promote(t.Context(), Promotion{App: app.ID, Cause: first.ID, Release: one}))
	late := s.MarkAborted(t.Context(), first.ID, "cancelled by ann")
	testkit.Must(t, s.MarkAborted(t.Context(), second.ID, "cancelled by ann"))
	refused := s.Promote(t.Context(), Promotion{App: app.ID, Cause: second.ID, Release: two})
	unstarted := s.Assign(t.Context(), []Assignment{{ID: cluster.NewID(), App: app.ID, Release: two, Type: "web", Node: node.ID, Operation: second.ID}})

	if cluster.CodeOf(late) != cluster.CodeConflict || cluster.CodeOf(refused) != cluster.CodeConflict || cluster.CodeOf(unstarted) != cluster.CodeConflict {
		t.Errorf("got %v, %v and %v, want a conflict each", late, refused, unstarted)
	}
	traffic, err := s.Traffic(t.Context(), app.ID)
	if err != nil || len(traffic) != 1 || traffic[0].Release != one {
		t.Errorf("got the traffic %v, %v, want it at the first release", traffic, err)
	}
	again := s.Promote(t.Context(), Promotion{App: app.ID, Cause: first.ID, Release: one})
	if again != nil {
		t.Errorf("the same promotion again: %v", again)
	}
}

// Nobody would end what runs for an app that is gone.
func TestDeleteApp_HasItsInstancesStopped(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	app, op := newApp(t, s, "shop")
	node := newNode(t, s, "n1")
	id := cluster.NewID()
	testkit.Must(t, s.Assign(t.Context(), []Assignment{{ID: id, App: app.ID, Release: "r", Type: "web", Node: node.ID, Operation: op.ID}}))

	testkit.Must(t, s.DeleteApp(t.Context(), app.ID))
	late := s.Assign(t.Context(), []Assignment{{ID: cluster.NewID(), App: app.ID, Release: "r", Type: "web", Node: node.ID}})

	in, err := s.Instance(t.Context(), id)
	testkit.Must(t, err)
	apps, err := s.AppsToRetire(t.Context())
	if in.State != cluster.InstanceDraining || err != nil || len(apps) != 1 {
		t.Errorf("got the instance %s and apps with something to stop %v, %v, want it to drain", in.State, apps, err)
	}
	if cluster.CodeOf(late) != cluster.CodeNotFound {
		t.Errorf("another instance of it: got %v, want it refused", late)
	}
}
