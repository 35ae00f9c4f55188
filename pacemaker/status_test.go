package pacemaker

import (
	"slices"
	"strings"
	"testing"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

func TestStatus_NamesWhatNeedsAttentionAndTheNextStep(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	node := r.newNode("n1", cluster.RoleHeart)
	app := r.newApp("shop")
	release := r.deploy(app)
	id := r.instance(release, "web", node)
	r.instance(release, "web", node)
	_, _, err := r.store.ApplyReport(t.Context(), node.ID, []cluster.InstanceStatus{{ID: id, State: cluster.InstanceRunning, Crashing: true}})
	must(t, err)
	op, err := r.DeployImage(t.Context(), app, "img:2", "", "admin")
	must(t, err)
	must(t, r.store.EndOperation(t.Context(), store.Ending{ID: op.ID, State: cluster.OperationFailed, Error: "no such image", Tree: []byte("{}"), Log: []byte("[]")}))

	s, err := r.Status(t.Context())

	must(t, err)
	for _, want := range []string{"aorta logs -a shop -i " + id.Short(), "no such image (aorta jobs show " + string(op.ID)} {
		if !slices.ContainsFunc(s.Reasons, func(r string) bool { return strings.Contains(r, want) }) {
			t.Errorf("got the reasons %q, want one with %q", s.Reasons, want)
		}
	}
	if s.Nodes != 1 || s.Apps != 1 || s.Instances != 2 {
		t.Errorf("got %+v, want one node, one app, two instances", s)
	}
}
