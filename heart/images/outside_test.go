package images

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/registry"
)

// outside has the lab's images kept by a registry that asks for a log-in, and knows
// nothing of who asks.
func (l *lab) outside() {
	l.t.Helper()
	keeps := l.behind
	theirs := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "ann" || password != "hush" {
			w.Header().Set("WWW-Authenticate", `Basic realm="theirs"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		keeps.ServeHTTP(w, r)
	}))
	l.t.Cleanup(theirs.Close)
	login := filepath.Join(l.t.TempDir(), "login")
	testkit.Must(l.t, os.WriteFile(login, []byte("ann:hush\n"), 0o600))
	at, err := url.Parse(theirs.URL + "/team/aorta")
	testkit.Must(l.t, err)
	l.behind = registry.NewOutside(registry.OutsideConfig{
		URL: at, Login: login, Trust: theirs.Client().Transport.(*http.Transport).TLSClientConfig, Secret: "ours", Log: slog.New(slog.DiscardHandler),
	}).For("n1")
}

// The engines push and pull through a registry of the operator's as through the
// cluster's own, also over a link that is cut, and a layer that is there travels once.
func TestCarrier_ImagesTravelThroughAnOutsideRegistry(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.outside()
	l.disturb(cutting("GET", "/blobs/", 2, 700_000))

	want := l.push(l.image(3))
	_, _ = l.seen()
	err := l.heart.Pull(t.Context(), want, func(string) {})
	_, bytes := l.seen()
	again := l.push(want)
	asked, _ := l.seen()

	if err != nil || !l.has(l.other, want) {
		t.Fatalf("got %v, want the image on the other engine", err)
	}
	if bytes < 3*megabyte || bytes > 3*megabyte+100_000 {
		t.Errorf("%d bytes came, want those of the layer once", bytes)
	}
	if again.Image.Pushed != want.Image.Pushed || slices.ContainsFunc(asked, func(a string) bool { return a[:5] == "PATCH" }) {
		t.Errorf("pushed again: got %s by %v, want the same digest and no layer sent", again.Image.Pushed, asked)
	}
	if kept, _ := filepath.Glob(l.dir + "/docker/registry/v2/repositories/team/aorta/" + string(l.app)); len(kept) != 1 {
		t.Errorf("the registry keeps %v, want it below the cluster's repository", kept)
	}
}
