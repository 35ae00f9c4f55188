package nodeapi_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/web/access"
	"aorta/web/internal/rig"
	"aorta/web/rest"
)

var pathParameter = regexp.MustCompile(`\{[a-z]+\}`)

func TestMain(m *testing.M) { rig.Main(m) }

func TestNodeAPI_EveryOperationIsForTheNodeThatItNames(t *testing.T) {
	t.Parallel()
	r := rig.New(t)

	n := 0
	for op := range rest.Operations(r.NodesAPI.OpenAPI()) {
		n++
		if op.OperationID == "post-join" {
			continue // who asks to join has a token
		}
		if rt := rest.RouteOf(op); rt.Role != access.Node || rt.Subject != access.OnNode || !strings.HasPrefix(rt.Path, "/nodes/{id}/") {
			t.Errorf("%s: got the role %q on the subject %q", op.OperationID, rt.Role, rt.Subject)
		}
	}

	if n < 10 {
		t.Errorf("got %d operations, want all of them", n)
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
	r := rig.New(t)
	one, token := r.NewNode("n1", cluster.RoleHeart)
	other, _ := r.NewNode("n2", cluster.RoleHeart)

	for op := range rest.Operations(r.NodesAPI.OpenAPI()) {
		at := func(id cluster.ID) string {
			return strings.Replace(strings.TrimPrefix(op.Path, rest.Prefix), "{id}", string(id), 1)
		}
		ask := func(id cluster.ID, token string) rig.Answer {
			return r.Do(rig.Ask{Method: op.Method, Path: pathParameter.ReplaceAllString(at(id), "nothing"), Token: token, Body: bodyFor(op), Nodes: true})
		}

		rig.WantProblem(t, ask(one.ID, ""), http.StatusUnauthorized)
		rig.WantProblem(t, ask(one.ID, "wrong"), http.StatusUnauthorized)
		rig.WantProblem(t, ask(one.ID, rig.AdminToken), http.StatusUnauthorized)
		if op.OperationID == "post-join" {
			continue
		}
		rig.WantProblem(t, ask(other.ID, token), http.StatusForbidden)
		if strings.Contains(op.Path, "/builds/") {
			if got := ask(one.ID, token); got.Status != http.StatusForbidden && got.Status != http.StatusUnprocessableEntity {
				t.Errorf("a heart at %s: got %d, want it refused", op.Path, got.Status)
			}
		}
		if t.Failed() {
			t.Fatal(op.Method, op.Path)
		}
	}
}

func TestNodeAPI_ANodeHasTheRolesOfItsToken(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	node, token := r.NewNode("n1", cluster.RoleHeart)
	hello := func(roles, address string) rig.Answer {
		return r.Do(rig.Ask{
			Method: "POST", Path: "/nodes/" + string(node.ID) + "/hello", Token: token, Nodes: true,
			Body: `{"session":"s","hostname":"h","pid":1,"roles":` + roles + `,"address":"` + address + `","version":"1"}`,
		})
	}

	first := hello(`["heart"]`, "10.0.0.5")
	more := hello(`["heart","builder"]`, "10.0.0.5")
	public := hello(`["heart"]`, "203.0.113.5")
	unset := hello(`["heart"]`, "")

	if first.Status != http.StatusOK || unset.Status != http.StatusOK {
		t.Errorf("got %d and %d, want both let in: %s %s", first.Status, unset.Status, first.Body, unset.Body)
	}
	rig.WantProblem(t, more, http.StatusForbidden)
	rig.WantProblem(t, public, http.StatusUnprocessableEntity)
	have, err := r.Store.Node(t.Context(), node.ID)
	testkit.Must(t, err)
	if len(have.Roles) != 1 || have.Address != "10.0.0.5" {
		t.Errorf("got roles %v at %q, want heart alone at the address it said first", have.Roles, have.Address)
	}
}

func TestNodeAPI_OutputThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	node, token := r.NewNode("n1", cluster.RoleHeart)

	for name, body := range map[string]string{
		"no list":           `{}`,
		"cut off":           `[{"instance":"x"`,
		"numbers for texts": `[{"instance":"x","from":"","to":"a","times":[1],"streams":["stdout"],"texts":[1]}]`,
		"a line too few":    `[{"instance":"x","from":"","to":"a","times":[1],"streams":["stdout"],"texts":[]}]`,
	} {
		t.Run(name, func(t *testing.T) {
			got := r.Do(rig.Ask{Method: "POST", Path: "/nodes/" + string(node.ID) + "/output", Token: token, Nodes: true, Body: body})

			rig.WantProblem(t, got, http.StatusUnprocessableEntity)
		})
	}
}
