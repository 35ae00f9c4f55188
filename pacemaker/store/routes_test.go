package store

import (
	"context"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// newNode makes a node that runs instances.
func newNode(tb testing.TB, s *Store, name string) cluster.Node {
	tb.Helper()
	n := cluster.Node{ID: cluster.NewID(), Name: name, Roles: []cluster.Role{cluster.RoleHeart}, Address: "10.0.0.1"}
	testkit.Must(tb, s.CreateNode(context.Background(), keyed(n), "admin"))
	return n
}

// newInstance assigns one web instance and lets its heart report it running.
func newInstance(tb testing.TB, s *Store, r cluster.Release, n cluster.Node, op cluster.ID) cluster.ID {
	tb.Helper()
	id := cluster.NewID()
	testkit.Must(tb, s.Assign(context.Background(), []Assignment{{ID: id, App: r.AppID, Release: r.ID, Type: "web", Node: n.ID, NeedsPort: true, Operation: op}}))
	_, _, err := s.ApplyReport(context.Background(), n.ID, []cluster.InstanceStatus{{ID: id, State: cluster.InstanceRunning}})
	testkit.Must(tb, err)
	return id
}

func TestStore_RoutesShowWhatServes(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ctx := context.Background()
	app, op := newApp(t, s, "shop")
	r := newRelease(t, s, op)
	id := newInstance(t, s, r, newNode(t, s, "n1"), op.ID)
	testkit.Must(t, s.Promote(ctx, Promotion{App: app.ID, Release: r.ID}))

	st, err := s.NextRoutes(ctx)
	testkit.Must(t, err)

	if st.Generation != 1 || len(st.Domains) != 1 || len(st.Serving) != 1 || st.Serving[0].ID != id {
		t.Errorf("got generation %d, domains %v, serving %v", st.Generation, st.Domains, st.Serving)
	}
	if w := st.Weights[app.ID]; len(w) != 1 || w[0].Release != r.ID || w[0].Weight != cluster.FullWeight || st.Labels[r.ID] != "v1" {
		t.Errorf("got weights %v and labels %v, want all for v1", st.Weights, st.Labels)
	}
}

// servingApp makes an app whose first release serves with one instance.
func servingApp(tb testing.TB, s *Store) (cluster.App, cluster.Node, cluster.Release, cluster.ID) {
	tb.Helper()
	ctx := context.Background()
	app, op := newApp(tb, s, "shop")
	n := newNode(tb, s, "n1")
	r := newRelease(tb, s, op)
	id := newInstance(tb, s, r, n, op.ID)
	testkit.Must(tb, s.Promote(ctx, Promotion{App: app.ID, Release: r.ID}))
	testkit.Must(tb, s.EndOperation(ctx, Ending{ID: op.ID, State: cluster.OperationSucceeded}))
	return app, n, r, id
}

func TestStore_PromoteDrainsAndRetires(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ctx := context.Background()
	app, _, first, old := servingApp(t, s)
	next := newDeploy(t, s, app)
	second := newRelease(t, s, next)

	for range 2 { // a repeated step changes nothing more
		testkit.Must(t, s.Promote(ctx, Promotion{App: app.ID, Release: second.ID, Drain: []cluster.ID{old}}))
	}

	r1, _ := s.Release(ctx, first.ID)
	r2, _ := s.Release(ctx, second.ID)
	in, _ := s.Instance(ctx, old)
	if r1.State != cluster.ReleaseRetired || r2.State != cluster.ReleaseRunning || in.State != cluster.InstanceDraining {
		t.Errorf("got v1 %s, v2 %s, instance %s; want retired, running, draining", r1.State, r2.State, in.State)
	}
}

func TestStore_FailedDeployLeavesTheOldReleaseAlone(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ctx := context.Background()
	app, n, _, serving := servingApp(t, s)
	next := newDeploy(t, s, app)
	second := newRelease(t, s, next)
	started := newInstance(t, s, second, n, next.ID)

	testkit.Must(t, s.EndOperation(ctx, Ending{ID: next.ID, State: cluster.OperationFailed, Error: "it exited with 1"}))

	r2, _ := s.Release(ctx, second.ID)
	a, _ := s.Instance(ctx, serving)
	b, _ := s.Instance(ctx, started)
	if r2.State != cluster.ReleaseFailed || r2.Error != "it exited with 1" || a.State != cluster.InstanceRunning || b.State != cluster.InstanceDraining {
		t.Errorf("got v2 %s (%s), old instance %s, new instance %s; want failed, running, draining", r2.State, r2.Error, a.State, b.State)
	}
}
