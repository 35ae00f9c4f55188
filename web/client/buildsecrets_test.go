package client

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aorta/web/wire"
)

func TestClient_SpeaksBuildSecrets(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		sendJSON(w, 200, wire.BuildSecrets{Names: []string{"K"}})
	})
	c := connect(t, s.URL+"/", Options{})

	listed, err := c.BuildSecrets(t.Context(), "shop")
	changed, errChanged := c.ChangeBuildSecrets(t.Context(), "shop", wire.BuildSecretsChange{Set: map[string]string{"K": "v"}, Unset: []string{"L"}})

	if err != nil || errChanged != nil || len(listed.Names) != 1 || len(changed.Names) != 1 {
		t.Errorf("got %v, %v and %v, %v; want K twice", listed, err, changed, errChanged)
	}
	var got []called
	for _, r := range s.requests() {
		got = append(got, called{r.method, strings.TrimPrefix(r.path, "/api/v1"), r.query, r.body})
	}
	want := []called{{"GET", "/apps/shop/build-secrets", "", ""}, {"PATCH", "/apps/shop/build-secrets", "", `{"set":{"K":"v"},"unset":["L"]}`}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}
