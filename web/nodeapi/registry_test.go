package nodeapi_test

import (
	"net/http"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/web/internal/rig"
)

// registry asks for something in the registry's protocol, and gives the status and
// the answer's text.
func registry(r *rig.Rig, token, method, path string) (int, string) {
	r.TB.Helper()
	got, err := r.TryAt(r.TB.Context(), cluster.RegistryPath, rig.Ask{Method: method, Path: path, Token: token, Nodes: true})
	testkit.Must(r.TB, err)
	return got.Status, string(got.Body)
}

func TestRegistry_NodesTakeTheImagesOfWhatTheyRun(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	shop, blog := r.App("shop"), r.App("blog")
	here, token := r.NewNode("n1", cluster.RoleHeart)
	there, _ := r.NewNode("n2", cluster.RoleHeart)
	mine := r.Serve(shop, here)
	r.Serve(blog, there)
	manifest := func(app cluster.App) string { return string(app.ID) + "/manifests/latest" }

	for path, want := range map[string]int{
		"": http.StatusOK, manifest(shop): http.StatusOK, string(shop.ID) + "/blobs/sha256:1": http.StatusOK,
		manifest(blog): http.StatusForbidden, string(blog.ID) + "/blobs/sha256:1": http.StatusForbidden,
		"_catalog": http.StatusNotFound, string(shop.ID) + "/tags/list": http.StatusForbidden,
	} {
		if got, text := registry(r, token, "GET", path); got != want {
			t.Errorf("%s: got %d %s, want %d", path, got, text, want)
		}
	}
	if got, text := registry(r, token, "POST", string(shop.ID)+"/blobs/uploads/"); got != http.StatusForbidden || !strings.Contains(text, `node \"n1\" is no builder`) {
		t.Errorf("a push of who is no builder: got %d %s", got, text)
	}
	for _, token := range []string{"", "wrong", rig.AdminToken} {
		if got, _ := registry(r, token, "GET", ""); got != http.StatusUnauthorized {
			t.Errorf("with the token %q: got %d, want 401", token, got)
		}
	}

	r.Report(here, cluster.InstanceStatus{ID: mine, State: cluster.InstanceStopped, Gone: true})

	if got, _ := registry(r, token, "GET", manifest(shop)); got != http.StatusForbidden {
		t.Errorf("with nothing of the app left: got %d, want 403", got)
	}
}

func TestRegistry_BuildersSendTheImageOfTheirBuild(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	shop := r.App("shop")
	builder, token := r.NewNode("n1", cluster.RoleHeart, cluster.RoleBuilder)
	_, other := r.NewNode("n2", cluster.RoleBuilder)
	build := r.Building(shop)
	upload, manifest := string(shop.ID)+"/blobs/uploads/", string(shop.ID)+"/manifests/"
	take := func(token string, node cluster.ID) string {
		return string(r.Do(rig.Ask{Method: "GET", Path: "/nodes/" + string(node) + "/builds/" + string(build), Token: token, Nodes: true}).Body)
	}
	pushes := func(when string, want int) {
		t.Helper()
		for _, ask := range []string{"POST " + upload, "PATCH " + upload + "x", "PUT " + manifest + string(build), "GET " + manifest + "latest"} {
			method, path, _ := strings.Cut(ask, " ")
			if got, text := registry(r, token, method, path); got != want {
				t.Errorf("%s, %s: got %d %s, want %d", when, ask, got, text, want)
			}
		}
	}

	pushes("before it has the build", http.StatusForbidden)
	if spec := take(token, builder.ID); strings.Contains(spec, `"push":true`) {
		t.Errorf("got %s, want no push while nobody else runs instances", spec)
	}
	pushes("while nobody needs it", http.StatusForbidden)
	r.NewNode("n3", cluster.RoleHeart)
	if spec := take(token, builder.ID); !strings.Contains(spec, `"push":true`) {
		t.Errorf("got %s, want a push, since another node runs instances", spec)
	}
	pushes("once it has the build", http.StatusOK)
	for _, name := range []string{string(cluster.NewID()), "latest", "sha256:1"} {
		if got, _ := registry(r, token, "PUT", manifest+name); got != http.StatusForbidden {
			t.Errorf("the manifest %s: got %d, want 403", name, got)
		}
	}
	if got, _ := registry(r, other, "POST", upload); got != http.StatusForbidden {
		t.Errorf("another builder: got %d, want 403", got)
	}
	r.Do(rig.Ask{Method: "PUT", Path: "/nodes/" + string(builder.ID) + "/builds/" + string(build), Token: token, Nodes: true, Body: `{"state":"ready","image":{"ref":"aorta/shop:1","id":"sha256:1"}}`})
	pushes("once it is built", http.StatusOK)
	r.Do(rig.Ask{Method: "PUT", Path: "/nodes/" + string(builder.ID) + "/builds/" + string(build), Token: token, Nodes: true, Body: `{"state":"ready","image":{"ref":"aorta/shop:1","id":"sha256:1","pushed":"sha256:2"},"replaces":"sha256:1"}`})
	if got, text := registry(r, token, "POST", upload); got != http.StatusForbidden {
		t.Errorf("once it is pushed: got %d %s, want 403", got, text)
	}
	done, err := r.Store.Build(t.Context(), build)
	testkit.Must(t, err)
	if done.Image.Pushed != "sha256:2" {
		t.Errorf("got the image %+v, want its digest in the registry", done.Image)
	}
}
