package api_test

import (
	"net/http"
	"slices"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/web/internal/rig"
	"aorta/web/nodewire"
	"aorta/web/wire"
)

// Admins alone grant; the app shows what it has, and what a node is told to start
// has it.
func TestGrants_AreTheAdminsAndReachTheNode(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	app, err := r.Pace.CreateApp(t.Context(), "shop", "admin")
	testkit.Must(t, err)
	node, token := r.NewNode("n1", cluster.RoleHeart)
	instance := r.Serve(app, node)
	const path, body = "/apps/shop/grants", `{"grant":["cap_net_raw","SYS_NICE"]}`

	refused := r.Do(rig.Ask{Method: http.MethodPatch, Path: path, Body: body, Token: rig.DeveloperToken})
	r.Admin(http.MethodPatch, path, body)
	left := rig.As[wire.Grants](t, r.Admin(http.MethodPatch, path, `{"revoke":["SYS_NICE"]}`))
	shown := rig.As[wire.App](t, r.Admin(http.MethodGet, "/apps/shop", ""))
	spec := rig.As[nodewire.InstanceSpec](t, r.Do(rig.Ask{
		Method: http.MethodGet, Path: "/nodes/" + string(node.ID) + "/instances/" + string(instance) + "/spec", Token: token, Nodes: true,
	}))

	rig.WantProblem(t, refused, http.StatusForbidden)
	want := []string{"NET_RAW"}
	if !slices.Equal(left.Capabilities, want) || !slices.Equal(shown.Grants, want) || !slices.Equal(spec.Grants, want) {
		t.Errorf("got %v, shown %v, sent to the node %v, want %v", left.Capabilities, shown.Grants, spec.Grants, want)
	}
}
