package store

import (
	"fmt"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

func TestStandings_AskAsOftenForManyAppsAsForOne(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	node := cluster.Node{ID: cluster.NewID(), Name: "n1", Roles: []cluster.Role{cluster.RoleHeart}}
	testkit.Must(t, s.CreateNode(t.Context(), keyed(node), "admin"))
	var apps []cluster.App
	for i := range 20 {
		app, op := newApp(t, s, fmt.Sprintf("app%d", i))
		release := newRelease(t, s, op)
		testkit.Must(t, s.Promote(t.Context(), Promotion{App: app.ID, Release: release.ID}))
		testkit.Must(t, s.Assign(t.Context(), []Assignment{{ID: cluster.NewID(), App: app.ID, Release: release.ID, Type: "web", Node: node.ID}}))
		apps = append(apps, app)
	}
	sent := recordStatements(t, s)

	one, err := s.Standings(t.Context(), []cluster.ID{apps[3].ID})
	testkit.Must(t, err)
	forOne := len(*sent)
	all, err := s.Standings(t.Context(), nil)
	testkit.Must(t, err)
	forAll := len(*sent) - forOne

	if forOne != 4 || forAll != 4 {
		t.Errorf("got %d statements for one app and %d for twenty, want 4 of each", forOne, forAll)
	}
	if len(one) != 1 || one[0].App.ID != apps[3].ID || len(all) != len(apps) {
		t.Fatalf("got %d and %d apps, want the one and all", len(one), len(all))
	}
	for _, st := range append(one, all...) {
		if st.Release.AppID != st.App.ID || len(st.Release.Processes) == 0 || len(st.Instances) != 1 || st.Instances[0].ReleaseID != st.Release.ID {
			t.Errorf("got %+v, want the app's release and its instance", st)
		}
	}
}
