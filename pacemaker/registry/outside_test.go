package registry

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/distribution/distribution/v3/registry/handlers"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// theirs is a registry that somebody else keeps: the library's own, behind TLS and a
// log-in.
type theirs struct {
	*httptest.Server
	login string // a file
	asked atomic.Int64
}

// newTheirs has who is let in decided by a function.
func newTheirs(t *testing.T, lets func(w http.ResponseWriter, r *http.Request) bool) *theirs {
	t.Helper()
	cfg := settings(Config{Dir: t.TempDir(), Secret: "theirs"})
	cfg.HTTP.RelativeURLs = false
	app := handlers.NewApp(t.Context(), cfg)
	s := &theirs{login: filepath.Join(t.TempDir(), "login")}
	s.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.asked.Add(1); lets(w, r) {
			app.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() { s.Close(); _ = app.Shutdown() })
	s.set(t, "ann:hush")
	return s
}

func (s *theirs) set(t *testing.T, login string) {
	t.Helper()
	testkit.Must(t, os.WriteFile(s.login, []byte(login+"\n"), 0o600))
}

// through is a client of the pacemaker that uses it.
func (s *theirs) through(t *testing.T) (*lab, *Outside) {
	t.Helper()
	at, err := url.Parse(s.URL + "/team/aorta")
	testkit.Must(t, err)
	o := NewOutside(OutsideConfig{
		URL: at, Login: s.login, Trust: s.Client().Transport.(*http.Transport).TLSClientConfig.Clone(), Secret: "ours", Log: slog.New(slog.DiscardHandler),
	})
	server := httptest.NewServer(o.For("n1"))
	t.Cleanup(server.Close)
	return &lab{t: t, url: server.URL}, o
}

func byPassword(w http.ResponseWriter, r *http.Request) bool {
	user, password, _ := r.BasicAuth()
	if user == "ann" && password == "hush" {
		return true
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="theirs"`)
	w.WriteHeader(http.StatusUnauthorized)
	return false
}

// byToken lets in who has a token for the repository.
func byToken(w http.ResponseWriter, r *http.Request) bool {
	if r.URL.Path == "/token" {
		if user, password, _ := r.BasicAuth(); user != "ann" || password != "hush" || r.URL.Query().Get("service") != "theirs" {
			w.WriteHeader(http.StatusUnauthorized)
			return false
		}
		scopes := append([]string{"service"}, r.URL.Query()["scope"]...)
		_ = json.NewEncoder(w).Encode(map[string]any{"token": strings.Join(scopes, " "), "expires_in": 60})
		return false
	}
	right := "pull"
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		right = "pull,push"
	}
	repository, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/"), "/blobs/")
	repository, _, _ = strings.Cut(repository, "/manifests/")
	has := r.Header.Get("Authorization")
	if repository == "" && has == "Bearer service" || repository != "" && strings.HasPrefix(has, "Bearer service repository:"+repository+":"+right) {
		return true
	}
	w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="https://%s/token",service="theirs"`, r.Host))
	w.WriteHeader(http.StatusUnauthorized)
	return false
}

func TestOutside_TakesAndGivesImages(t *testing.T) {
	t.Parallel()
	for name, lets := range map[string]func(http.ResponseWriter, *http.Request) bool{"by password": byPassword, "by token": byToken} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			there := newTheirs(t, lets)
			l, o := there.through(t)
			app, build := cluster.NewID(), cluster.NewID()

			digest := l.push(app, build, "one layer", "another")
			got := l.ask("GET", repo(app)+"/manifests/"+digest, nil, "")
			text, _ := io.ReadAll(got.Body)
			layer := l.ask("GET", repo(app)+"/blobs/"+digestOf([]byte("one layer")), nil, "")
			content, _ := io.ReadAll(layer.Body)

			if got.StatusCode != http.StatusOK || digestOf(text) != digest || string(content) != "one layer" {
				t.Errorf("got %s and the layer %q, want what was pushed", got.Status, content)
			}
			if moved := o.Moved()["n1"]; moved.Sent == 0 || moved.Received == 0 {
				t.Errorf("moved: got %+v, want both ways counted", moved)
			}
			testkit.Must(t, o.Check(t.Context()))
			if n := l.ask("GET", repo(app)+"/manifests/"+digestOf([]byte("x")), nil, "").StatusCode; n != http.StatusNotFound {
				t.Errorf("an image that is not there: got %d, want 404", n)
			}
		})
	}
}

// A registry that says that it is elsewhere is followed, without the log-in.
func TestOutside_FollowsToWhereLayersAre(t *testing.T) {
	t.Parallel()
	var shown atomic.Value
	store := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown.Store(r.Header.Get("Authorization"))
		_, _ = io.WriteString(w, "from the store")
	}))
	t.Cleanup(store.Close)
	there := newTheirs(t, func(w http.ResponseWriter, r *http.Request) bool {
		if byPassword(w, r) && strings.Contains(r.URL.Path, "/blobs/sha256:") {
			http.Redirect(w, r, strings.Replace(store.URL, "127.0.0.1", "localhost", 1), http.StatusTemporaryRedirect)
		}
		return false
	})
	l, o := there.through(t)
	o.access.client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{InsecureSkipVerify: true} // its certificate is made out to no localhost

	resp := l.ask("GET", repo(cluster.NewID())+"/blobs/"+digestOf([]byte("x")), nil, "")
	content, _ := io.ReadAll(resp.Body)

	if string(content) != "from the store" || shown.Load() != "" {
		t.Errorf("got %s %q, and the store saw the log-in %q; want the layer, and no log-in there", resp.Status, content, shown.Load())
	}
}

// A node can have the pacemaker send its log-in nowhere.
func TestOutside_UploadsGoOnWhereTheyBegan(t *testing.T) {
	t.Parallel()
	there := newTheirs(t, byPassword)
	l, _ := there.through(t)
	app, other := cluster.NewID(), cluster.NewID()
	mine := l.upload(app)
	before := there.asked.Load()

	for what, path := range map[string]string{
		"another app's":  strings.Replace(mine, string(app), string(other), 1),
		"changed":        mine[:len(mine)-2] + "AA",
		"made up":        repo(app) + "/blobs/uploads/outside?_at=aHR0cHM6Ly9ldmlsLmV4YW1wbGUv",
		"without a mark": repo(app) + "/blobs/uploads/x",
	} {
		if got := l.ask("PATCH", path, []byte("x"), "application/octet-stream").StatusCode; got != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", what, got)
		}
	}

	if n := there.asked.Load() - before; n != 0 {
		t.Errorf("requests of the registry: got %d, want none", n)
	}
}

func TestOutside_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	there := newTheirs(t, byPassword)
	l, o := there.through(t)
	app := cluster.NewID()
	blob := repo(app) + "/blobs/" + digestOf([]byte("x"))
	wrong := func(what, says string) {
		t.Helper()
		resp := l.ask("GET", blob, nil, "")
		text, _ := io.ReadAll(resp.Body)
		if err := o.Check(t.Context()); err == nil || !strings.Contains(err.Error(), says) || resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(text), says) {
			t.Errorf("%s: got %d %s, and the check says %v; want 503 and both to say %q", what, resp.StatusCode, text, err, says)
		}
		if resp.Header.Get("WWW-Authenticate") != "" {
			t.Errorf("%s: a node is asked for a log-in", what)
		}
	}

	there.set(t, "ann:wrong")
	wrong("a wrong log-in", "does not take our log-in")
	there.set(t, "ann")
	wrong("half a log-in", "is not USER:PASSWORD")
	testkit.Must(t, os.Remove(there.login))
	wrong("no file", "can't be read")
	there.set(t, "ann:hush")
	testkit.Must(t, o.Check(t.Context()))
	there.Close()
	wrong("a registry that is down", "does not answer")
}
