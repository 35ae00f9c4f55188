package api

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

var pathParameter = regexp.MustCompile(`\{[a-z]+\}`)

// somewhere is the operation's path on things that don't exist.
func somewhere(op *huma.Operation) string {
	return strings.TrimPrefix(pathParameter.ReplaceAllString(op.Path, "nothing"), prefix)
}

func TestAPI_EveryOperationHasAPolicy(t *testing.T) {
	t.Parallel()
	r := newRig(t)

	n := 0
	for op := range operations(r.api.OpenAPI()) {
		n++
		need, _ := op.Metadata[policyKey].(policy)
		if rank[string(need)] == 0 && (need != anyone || op.OperationID != "post-session") {
			t.Errorf("%s: got policy %q, want viewer, developer or admin", op.OperationID, need)
		}
		if need == self && !strings.HasPrefix(op.Path, prefix+"/session") {
			t.Errorf("%s is open to every role, and is not about one's own session", op.OperationID)
		}
		if need := op.Metadata[policyKey]; op.Method != http.MethodGet && need == viewers {
			t.Errorf("%s changes something and is open to viewers", op.OperationID)
		}
	}
	for op := range operations(r.nodes.OpenAPI()) {
		n++
		if need := op.Metadata[policyKey]; need != nodesOnly {
			t.Errorf("%s: got policy %v, want %s", op.OperationID, need, nodesOnly)
		}
	}

	if n < 30 {
		t.Errorf("got %d operations, want all of them", n)
	}
}

func TestAPI_PeopleMayDoWhatTheirRoleSays(t *testing.T) {
	t.Parallel()
	r := newRig(t)

	for op := range operations(r.api.OpenAPI()) {
		for token, role := range map[string]string{
			"": "", "wrong": "", "revoked": "", "expired": "",
			viewerToken: "viewer", developerToken: "developer", adminToken: "admin",
		} {
			got := r.do(ask{method: op.Method, path: somewhere(op), token: token, body: bodyFor(op)})

			need := string(op.Metadata[policyKey].(policy))
			switch {
			case need == string(anyone):
				if got.status != http.StatusUnprocessableEntity {
					t.Errorf("%s as %q: got %d %s, want the body judged, whoever sends it", op.OperationID, role, got.status, got.body)
				}
			case role == "":
				wantProblem(t, got, http.StatusUnauthorized)
				if got.header.Get("WWW-Authenticate") == "" {
					t.Errorf("%s with token %q: got no WWW-Authenticate", op.OperationID, token)
				}
			case rank[role] < rank[need]:
				wantProblem(t, got, http.StatusForbidden)
			case got.status == http.StatusUnauthorized, got.status == http.StatusForbidden, got.status >= 500:
				t.Errorf("%s as %s: got %d %s, want it let in", op.OperationID, role, got.status, got.body)
			}
			if t.Failed() {
				t.Fatalf("%s %s with token %q", op.Method, op.Path, token)
			}
		}
	}
}

// bodyFor gives writes a body that is read only by those who may.
func bodyFor(op *huma.Operation) string {
	if op.RequestBody == nil {
		return ""
	}
	return "{}"
}

func TestNodeAPI_NodesSpeakForThemselvesAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	one, token := r.newNode("n1", cluster.RoleHeart)
	other, _ := r.newNode("n2", cluster.RoleHeart)

	for op := range operations(r.nodes.OpenAPI()) {
		at := func(id cluster.ID) string {
			return strings.Replace(strings.TrimPrefix(op.Path, prefix), "{id}", string(id), 1)
		}
		ask := func(id cluster.ID, token string) answer {
			return r.do(ask{method: op.Method, path: pathParameter.ReplaceAllString(at(id), "nothing"), token: token, body: bodyFor(op), nodes: true})
		}

		wantProblem(t, ask(one.ID, ""), http.StatusUnauthorized)
		wantProblem(t, ask(one.ID, "wrong"), http.StatusUnauthorized)
		wantProblem(t, ask(one.ID, adminToken), http.StatusUnauthorized)
		wantProblem(t, ask(other.ID, token), http.StatusForbidden)
		if strings.Contains(op.Path, "/builds/") {
			if got := ask(one.ID, token); got.status != http.StatusForbidden && got.status != http.StatusUnprocessableEntity {
				t.Errorf("a heart at %s: got %d, want it refused", op.Path, got.status)
			}
		}
		if t.Failed() {
			t.Fatal(op.Method, op.Path)
		}
	}
}

func TestNodeAPI_ANodeHasTheRolesOfItsToken(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	node, token := r.newNode("n1", cluster.RoleHeart)
	hello := func(roles, address string) answer {
		return r.do(ask{
			method: "POST", path: "/nodes/" + string(node.ID) + "/hello", token: token, nodes: true,
			body: `{"session":"s","hostname":"h","pid":1,"roles":` + roles + `,"address":"` + address + `","version":"1"}`,
		})
	}

	first := hello(`["heart"]`, "10.0.0.5")
	more := hello(`["heart","builder"]`, "10.0.0.5")
	public := hello(`["heart"]`, "203.0.113.5")
	unset := hello(`["heart"]`, "")

	if first.status != http.StatusOK || unset.status != http.StatusOK {
		t.Errorf("got %d and %d, want both let in: %s %s", first.status, unset.status, first.body, unset.body)
	}
	wantProblem(t, more, http.StatusForbidden)
	wantProblem(t, public, http.StatusUnprocessableEntity)
	have, err := r.store.Node(t.Context(), node.ID)
	must(t, err)
	if len(have.Roles) != 1 || have.Address != "10.0.0.5" {
		t.Errorf("got roles %v at %q, want heart alone at the address it said first", have.Roles, have.Address)
	}
}

// newNode makes a node with its token.
func (r *rig) newNode(name string, roles ...cluster.Role) (cluster.Node, string) {
	r.tb.Helper()
	_, token, err := r.pace.CreateNode(r.tb.Context(), name, roles, "admin")
	must(r.tb, err)
	n, err := r.store.NodeByToken(r.tb.Context(), token)
	must(r.tb, err)
	return n, token
}

// newRelease gives an app a release that serves, as a deploy does.
func (r *rig) newRelease(app cluster.App) cluster.Release {
	r.tb.Helper()
	ctx := r.tb.Context()
	op, err := r.pace.DeployImage(ctx, app, "img:1", "", "admin")
	must(r.tb, err)
	builds, err := r.store.OpenBuilds(ctx)
	must(r.tb, err)
	id := builds[len(builds)-1]
	web := []cluster.ProcessType{{Name: "web"}}
	must(r.tb, r.store.EndBuild(ctx, id, cluster.BuildResult{State: cluster.BuildReady, Image: cluster.Image{ID: "sha256:1"}, Processes: web}))
	build, err := r.store.Build(ctx, id)
	must(r.tb, err)
	release, err := r.store.CreateRelease(ctx, store.NewRelease{Operation: op, Build: build, Cause: "deploy"})
	must(r.tb, err)
	must(r.tb, r.store.Promote(ctx, store.Promotion{App: app.ID, Release: release.ID}))
	must(r.tb, r.store.EndOperation(ctx, store.Ending{ID: op.ID, State: cluster.OperationSucceeded, Tree: []byte("{}"), Log: []byte("[]")}))
	return release
}
