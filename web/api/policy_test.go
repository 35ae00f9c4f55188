package api_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"aorta/web/access"
	"aorta/web/internal/rig"
	"aorta/web/rest"
)

var pathParameter = regexp.MustCompile(`\{[a-z]+\}`)

// somewhere is the operation's path on things that don't exist.
func somewhere(op *huma.Operation) string {
	return strings.TrimPrefix(pathParameter.ReplaceAllString(op.Path, "nothing"), rest.Prefix)
}

// subjects are those that a path of the API for people may be on.
var subjects = []access.Kind{access.OnApp, access.OnWorkspace, access.OnCluster, access.OnNode, access.OnSelf}

// policyFault is what is wrong with who may use a route on what; "" for nothing.
func policyFault(rt rest.Route) string {
	admin := access.User{Role: access.Admin}
	// A live stream is its reader's own; each of its topics is asked for alone.
	own := strings.HasPrefix(rt.Path, "/session") || rt.Path == "/whoami" || rt.Path == "/live"
	switch {
	case rt.Role == access.Anyone && rt.Path == "/session" && rt.Method == rest.Post:
	case !access.Allowed(admin, rt.Role, access.Subject{Kind: rt.Subject}):
		return "not even an admin may: a role or a subject is missing"
	case rt.Subject == access.OnSelf != own:
		return "is on what is one's own, or is not, and its path says otherwise"
	case rt.Method != rest.Get && rt.Role == access.Viewer && !own:
		return "changes something and is open to viewers"
	}
	switch named := strings.HasPrefix(rt.Path, "/apps/{app}") || strings.HasPrefix(rt.Path, "/jobs/{id}"); {
	case !slices.Contains(subjects, rt.Subject):
		return "is on no subject"
	case named != (rt.Subject == access.OnApp):
		return "names an app or a job, or does not, and its subject says otherwise"
	case strings.HasPrefix(rt.Path, "/nodes/{node}") != (rt.Subject == access.OnNode):
		return "names a node, or does not, and its subject says otherwise"
	}
	return ""
}

func TestAPI_EveryOperationHasARoleAndASubject(t *testing.T) {
	t.Parallel()
	r := rig.New(t)

	n := 0
	for op := range rest.Operations(r.API.OpenAPI()) {
		n++
		if fault := policyFault(rest.RouteOf(op)); fault != "" {
			t.Errorf("%s %s", op.OperationID, fault)
		}
	}

	if n < 30 {
		t.Errorf("got %d operations, want all of them", n)
	}
}

func TestPolicyFault_FindsWhatIsMissing(t *testing.T) {
	good := rest.Route{Method: rest.Post, Path: "/apps/{app}/stop", Role: access.Developer, Subject: access.OnApp}
	for name, change := range map[string]func(*rest.Route){
		"no role":           func(rt *rest.Route) { rt.Role = "" },
		"a node's role":     func(rt *rest.Route) { rt.Role = access.Node },
		"anyone":            func(rt *rest.Route) { rt.Role = access.Anyone },
		"a viewer's change": func(rt *rest.Route) { rt.Role = access.Viewer },
		"no subject":        func(rt *rest.Route) { rt.Subject = "" },
		"another subject":   func(rt *rest.Route) { rt.Subject = access.OnCluster },
		"oneself":           func(rt *rest.Route) { rt.Subject = access.OnSelf },
		"no app":            func(rt *rest.Route) { rt.Path = "/apps" },
	} {
		rt := good
		change(&rt)
		if policyFault(rt) == "" {
			t.Errorf("%s: got no fault in %+v", name, rt)
		}
	}
	if fault := policyFault(good); fault != "" {
		t.Errorf("got %q of a good one", fault)
	}
}

func TestAPI_PeopleMayDoWhatTheirRoleSays(t *testing.T) {
	t.Parallel()
	r := rig.New(t)

	for op := range rest.Operations(r.API.OpenAPI()) {
		for token, role := range map[string]string{
			"": "", "wrong": "", "revoked": "", "expired": "",
			rig.ViewerToken: "viewer", rig.DeveloperToken: "developer", rig.AdminToken: "admin",
		} {
			got := r.Do(rig.Ask{Method: op.Method, Path: somewhere(op), Token: token, Body: bodyFor(op)})

			rt := rest.RouteOf(op)
			switch {
			case rt.Role == access.Anyone:
				if got.Status != http.StatusUnprocessableEntity {
					t.Errorf("%s as %q: got %d %s, want the body judged, whoever sends it", op.OperationID, role, got.Status, got.Body)
				}
			case role == "":
				rig.WantProblem(t, got, http.StatusUnauthorized)
				if got.Header.Get("WWW-Authenticate") == "" {
					t.Errorf("%s with token %q: got no WWW-Authenticate", op.OperationID, token)
				}
			case !access.Allowed(access.User{Role: access.Role(role)}, rt.Role, access.Subject{Kind: rt.Subject}):
				rig.WantProblem(t, got, http.StatusForbidden)
			case got.Status == http.StatusUnauthorized, got.Status == http.StatusForbidden, got.Status >= 500:
				t.Errorf("%s as %s: got %d %s, want it let in", op.OperationID, role, got.Status, got.Body)
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
