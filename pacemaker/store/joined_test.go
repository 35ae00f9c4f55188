package store

import (
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// A token is no node: it counts nowhere, and another token for its name ends it.
func TestNodes_AreThereOnceTheyJoin(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ctx := t.Context()
	made := func(token string) error {
		return s.CreateNode(ctx, cluster.Node{ID: cluster.NewID(), Name: "n1", Roles: []cluster.Role{cluster.RoleHeart}}, HashToken(token), "ann")
	}
	count := func() int {
		t.Helper()
		list, err := s.Nodes(ctx)
		testkit.Must(t, err)
		v, err := s.Snapshot(ctx)
		testkit.Must(t, err)
		routes, err := s.Routes(ctx)
		if err != nil || len(v.Nodes) != len(list) || len(routes.Nodes) != len(list) {
			t.Errorf("got %d, %d and %d nodes, %v; want the same", len(list), len(v.Nodes), len(routes.Nodes), err)
		}
		return len(list)
	}

	testkit.Must(t, made("first"))
	testkit.Must(t, made("second"))
	_, first := s.NodeByToken(ctx, "first")
	node, err := s.NodeByToken(ctx, "second")
	testkit.Must(t, err)
	_, unseen := s.NodeByName(ctx, "n1")
	before := count()
	testkit.Must(t, s.JoinNode(ctx, node))
	_, seen := s.NodeByName(ctx, "n1")
	third := made("third")

	if first == nil || cluster.CodeOf(unseen) != cluster.CodeNotFound || before != 0 {
		t.Errorf("got %v for the token that was replaced, %v, %d nodes; want it refused and none", first, unseen, before)
	}
	if seen != nil || count() != 1 || cluster.CodeOf(third) != cluster.CodeConflict {
		t.Errorf("got %v, %d nodes, %v for another token once it has joined; want it, one, a conflict", seen, count(), third)
	}
}
