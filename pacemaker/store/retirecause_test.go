package store

import (
	"strconv"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

func TestBeginRetire_NamesWhatTheStopIsBecauseOf(t *testing.T) {
	t.Parallel()
	s, c := openStoreAt(t)
	app, op := newApp(t, s, "shop")
	release := newRelease(t, s, op)
	node := cluster.Node{ID: cluster.NewID(), Name: "n1", Roles: []cluster.Role{cluster.RoleHeart}}
	testkit.Must(t, s.CreateNode(t.Context(), keyed(node), "admin"))
	var all []cluster.ID
	for range 4 {
		id := cluster.NewID()
		testkit.Must(t, s.Assign(t.Context(), []Assignment{{ID: id, App: app.ID, Release: release.ID, Type: "web", Node: node.ID, Operation: op.ID}}))
		all = append(all, id)
	}
	instance := func(state cluster.InstanceState) cluster.ID {
		id := all[0]
		all = all[1:]
		_, _, err := s.ApplyReport(t.Context(), node.ID, []cluster.InstanceStatus{{ID: id, State: state}})
		testkit.Must(t, err)
		return id
	}
	cause := func() cluster.ID {
		r, err := s.BeginRetire(t.Context(), app.ID, strconv.Itoa)
		testkit.Must(t, err)
		if r == nil {
			return "none"
		}
		return r.Operation.Cause
	}

	instance(cluster.InstanceFailed)
	whileOpen := cause()
	testkit.Must(t, s.EndOperation(t.Context(), Ending{ID: op.ID, State: cluster.OperationSucceeded}))
	instance(cluster.InstanceFailed)
	soon := cause()
	c.ns.Add(int64(time.Hour))
	instance(cluster.InstanceFailed)
	later := cause()
	drained := instance(cluster.InstanceRunning)
	testkit.Must(t, s.Promote(t.Context(), Promotion{App: app.ID, Cause: "other", Drain: []cluster.ID{drained}}))
	asked := cause()

	if whileOpen != op.ID || soon != op.ID || later != "" || asked != "other" || cause() != "none" {
		t.Errorf("got the causes %q, %q, %q, %q; want the deploy until soon after its end, then none, and who has drained it", whileOpen, soon, later, asked)
	}
}
