package client

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/web/wire"
)

// called is what a call should look like on the wire.
type called struct{ Method, Path, Query, Body string }

var netRaw = wire.GrantsChange{Grant: []string{"NET_RAW"}}

// second is the error of a call whose answer another test reads.
func second[T any](_ T, err error) error { return err }

// endpointCase is a call and what it looks like on the wire.
type endpointCase struct {
	name string
	call func(ctx context.Context, c *Client) error
	want called
}

// membership are the calls about who belongs to the cluster.
var membership = []endpointCase{
	{"create join token", func(ctx context.Context, c *Client) error {
		_, err := c.CreateJoinToken(ctx, wire.NewJoinToken{Name: "n1", Roles: []string{"heart"}})
		return err
	}, called{"POST", "/node-tokens", "", `{"name":"n1","roles":["heart"]}`}},
	{"join tokens", func(ctx context.Context, c *Client) error { _, err := c.JoinTokens(ctx); return err }, called{"GET", "/node-tokens", "", ""}},
	{"revoke join token", func(ctx context.Context, c *Client) error { return c.RevokeJoinToken(ctx, "t1") }, called{"DELETE", "/node-tokens/t1", "", ""}},
	{"drain", func(ctx context.Context, c *Client) error { return second(c.DrainNode(ctx, "n1")) }, called{"POST", "/nodes/n1/drain", "", ""}},
	{"undrain", func(ctx context.Context, c *Client) error { return second(c.UndrainNode(ctx, "n1")) }, called{"POST", "/nodes/n1/undrain", "", ""}},
	{"declare dead", func(ctx context.Context, c *Client) error { _, err := c.DeclareDead(ctx, "n1"); return err }, called{"POST", "/nodes/n1/declare-dead", "", ""}},
	{"remove node", func(ctx context.Context, c *Client) error { _, err := c.RemoveNode(ctx, "n1"); return err }, called{"DELETE", "/nodes/n1", "", ""}},
	{"tag node", func(ctx context.Context, c *Client) error {
		_, err := c.TagNode(ctx, "n1", map[string]string{"disk": "ssd"})
		return err
	}, called{"PATCH", "/nodes/n1/tags", "", `{"tags":{"disk":"ssd"}}`}},
}

func TestClient_SpeaksEachEndpoint(t *testing.T) {
	three, big, half := 3, int64(256<<20), 0.5
	cases := []endpointCase{
		{"whoami", func(ctx context.Context, c *Client) error { _, err := c.Whoami(ctx); return err }, called{"GET", "/whoami", "", ""}},
		{"link", func(ctx context.Context, c *Client) error { _, err := c.SignInLink(ctx); return err }, called{"POST", "/session/links", "", ""}},
		{"apps", func(ctx context.Context, c *Client) error { _, err := Collect(c.Apps(ctx), 0); return err }, called{"GET", "/apps", "limit=100", ""}},
		{"create", func(ctx context.Context, c *Client) error { _, err := c.CreateApp(ctx, "shop"); return err }, called{"POST", "/apps", "", `{"name":"shop"}`}},
		{"app", func(ctx context.Context, c *Client) error { _, err := c.App(ctx, "a/b"); return err }, called{"GET", "/apps/a%2Fb", "", ""}},
		{"rename", func(ctx context.Context, c *Client) error {
			return second(c.RenameApp(ctx, "shop", wire.RenameApp{Name: "store", Version: 4}))
		}, called{"PATCH", "/apps/shop", "", `{"name":"store","version":4}`}},
		{"destroy", func(ctx context.Context, c *Client) error { _, err := c.DestroyApp(ctx, "shop"); return err }, called{"DELETE", "/apps/shop", "confirm=shop", ""}},
		{"deploy image", func(ctx context.Context, c *Client) error {
			_, err := c.DeployImage(ctx, "shop", wire.Deploy{Image: "shop:2"})
			return err
		}, called{"POST", "/apps/shop/deploys", "", `{"image":"shop:2"}`}},
		{"deploy archive", func(ctx context.Context, c *Client) error {
			_, err := c.DeployArchive(ctx, "shop", Archive{Message: "a b", Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("tar")), nil }})
			return err
		}, called{"POST", "/apps/shop/deploys/archive", "message=a+b", "tar"}},
		{"config", func(ctx context.Context, c *Client) error { _, err := c.Config(ctx, "shop"); return err }, called{"GET", "/apps/shop/config", "", ""}},
		{"change config", func(ctx context.Context, c *Client) error {
			_, err := c.ChangeConfig(ctx, "shop", wire.ConfigChange{Set: map[string]string{"K": "v"}, Unset: []string{"L"}})
			return err
		}, called{"PATCH", "/apps/shop/config", "", `{"set":{"K":"v"},"unset":["L"]}`}},
		{"instances of a node", func(ctx context.Context, c *Client) error { _, err := c.NodeInstances(ctx, "n1"); return err }, called{"GET", "/nodes/n1/instances", "", ""}},
		{"instances", func(ctx context.Context, c *Client) error { _, err := c.Instances(ctx, "shop"); return err }, called{"GET", "/apps/shop/instances", "limit=100", ""}},
		{"formation", func(ctx context.Context, c *Client) error { _, err := c.Formation(ctx, "shop"); return err }, called{"GET", "/apps/shop/formation", "", ""}},
		{"change formation", func(ctx context.Context, c *Client) error {
			_, err := c.ChangeFormation(ctx, "shop", wire.FormationChange{Types: map[string]wire.ProcessChange{"web": {Quantity: &three, Memory: &big, CPUs: &half}}})
			return err
		}, called{"PATCH", "/apps/shop/formation", "", `{"types":{"web":{"quantity":3,"memory":268435456,"cpus":0.5}}}`}},
		{"route", func(ctx context.Context, c *Client) error { _, err := c.Route(ctx, "shop"); return err }, called{"GET", "/apps/shop/route", "", ""}},
		{"change route", func(ctx context.Context, c *Client) error {
			return second(c.ChangeRoute(ctx, "shop", wire.RouteChange{MaxBody: &big}))
		}, called{"PATCH", "/apps/shop/route", "", `{"max_body":268435456}`}},
		{"change grants", func(ctx context.Context, c *Client) error { return second(c.ChangeGrants(ctx, "shop", netRaw)) }, called{"PATCH", "/apps/shop/grants", "", `{"grant":["NET_RAW"]}`}},
		{"restart", func(ctx context.Context, c *Client) error {
			return second(c.Restart(ctx, "shop", wire.Restart{Instance: "i1"}))
		}, called{"POST", "/apps/shop/restart", "", `{"instance":"i1"}`}},
		{"stop", func(ctx context.Context, c *Client) error { _, err := c.Stop(ctx, "shop"); return err }, called{"POST", "/apps/shop/stop", "", ""}},
		{"builds", func(ctx context.Context, c *Client) error { _, err := Collect(c.Builds(ctx, "shop"), 0); return err }, called{"GET", "/apps/shop/builds", "limit=100", ""}},
		{"releases", func(ctx context.Context, c *Client) error { _, err := Collect(c.Releases(ctx, "shop"), 0); return err }, called{"GET", "/apps/shop/releases", "limit=100", ""}},
		{"release", func(ctx context.Context, c *Client) error { _, err := c.Release(ctx, "shop", "v3"); return err }, called{"GET", "/apps/shop/releases/v3", "", ""}},
		{"rebuild", func(ctx context.Context, c *Client) error {
			return second(c.Rebuild(ctx, "shop", wire.Rebuild{Release: "v3"}))
		}, called{"POST", "/apps/shop/rebuild", "", `{"release":"v3"}`}},
		{"images", func(ctx context.Context, c *Client) error { _, err := Collect(c.Images(ctx, ""), 0); return err }, called{"GET", "/images", "limit=100", ""}},
		{"images of an app", func(ctx context.Context, c *Client) error { _, err := Collect(c.Images(ctx, "shop"), 0); return err }, called{"GET", "/apps/shop/images", "limit=100", ""}},
		{"registry", func(ctx context.Context, c *Client) error { _, err := c.Registry(ctx); return err }, called{"GET", "/registry", "", ""}},
		{"prune images", func(ctx context.Context, c *Client) error { _, err := c.PruneImages(ctx, ""); return err }, called{"POST", "/images/prune", "", ""}},
		{"prune images of an app", func(ctx context.Context, c *Client) error { _, err := c.PruneImages(ctx, "shop"); return err }, called{"POST", "/apps/shop/images/prune", "", ""}},
		{"what a rollback changes", func(ctx context.Context, c *Client) error {
			return second(c.PlanRollback(ctx, "shop", wire.Rollback{Release: "v3", CodeOnly: true}))
		}, called{"GET", "/apps/shop/rollback", "code_only=true&release=v3", ""}},
		{"rollback", func(ctx context.Context, c *Client) error {
			return second(c.Rollback(ctx, "shop", wire.Rollback{Release: "v3"}))
		}, called{"POST", "/apps/shop/rollback", "", `{"release":"v3"}`}},
		{"domains", func(ctx context.Context, c *Client) error { _, err := c.Domains(ctx, "shop"); return err }, called{"GET", "/apps/shop/domains", "limit=100", ""}},
		{"add domain", func(ctx context.Context, c *Client) error { _, err := c.AddDomain(ctx, "shop", "a.b"); return err }, called{"POST", "/apps/shop/domains", "", `{"host":"a.b"}`}},
		{"remove domain", func(ctx context.Context, c *Client) error { return c.RemoveDomain(ctx, "shop", "*.a.b") }, called{"DELETE", "/apps/shop/domains/%2A.a.b", "", ""}},
		{"logs", func(ctx context.Context, c *Client) error {
			_, err := c.Logs(ctx, "shop", LogQuery{Lines: 5, Type: "web", Instance: "i", Since: "2h0m0s", Until: "1h0m0s", Search: "a&b"})
			return err
		}, called{"GET", "/apps/shop/logs", "instance=i&n=5&search=a%26b&since=2h0m0s&type=web&until=1h0m0s", ""}},
		{"stats", func(ctx context.Context, c *Client) error {
			_, err := c.Stats(ctx, "shop", StatsQuery{Since: time.Hour, Release: "v3"})
			return err
		}, called{"GET", "/apps/shop/stats", "release=v3&since=1h0m0s", ""}},
		{"jobs", func(ctx context.Context, c *Client) error {
			_, err := Collect(c.Jobs(ctx, JobQuery{App: "shop", State: "running"}), 0)
			return err
		}, called{"GET", "/jobs", "app=shop&limit=100&state=running", ""}},
		{"jobs of a time", func(ctx context.Context, c *Client) error {
			_, err := Collect(c.Jobs(ctx, JobQuery{Kind: "deploy", Since: "24h0m0s", Until: "2026-01-02T15:04:05Z", Attention: true}), 0)
			return err
		}, called{"GET", "/jobs", "attention=true&kind=deploy&limit=100&since=24h0m0s&until=2026-01-02T15%3A04%3A05Z", ""}},
		{"job", func(ctx context.Context, c *Client) error { _, err := c.Job(ctx, "j1"); return err }, called{"GET", "/jobs/j1", "", ""}},
		{"job log", func(ctx context.Context, c *Client) error { _, err := c.JobLog(ctx, "j1"); return err }, called{"GET", "/jobs/j1/log", "", ""}},
		{"abort", func(ctx context.Context, c *Client) error { _, err := c.AbortJob(ctx, "j1"); return err }, called{"POST", "/jobs/j1/abort", "", ""}},
		{"retry", func(ctx context.Context, c *Client) error { _, err := c.RetryJob(ctx, "j1"); return err }, called{"POST", "/jobs/j1/retry", "", ""}},
		{"discard", func(ctx context.Context, c *Client) error { _, err := c.DiscardJob(ctx, "j1"); return err }, called{"POST", "/jobs/j1/discard", "", ""}},
		{"nodes", func(ctx context.Context, c *Client) error { _, err := c.Nodes(ctx); return err }, called{"GET", "/nodes", "limit=100", ""}},
		{"node", func(ctx context.Context, c *Client) error { _, err := c.ClusterNode(ctx, "n1"); return err }, called{"GET", "/nodes/n1", "", ""}},
		{"status", func(ctx context.Context, c *Client) error { _, err := c.Status(ctx); return err }, called{"GET", "/status", "", ""}},
	}
	for _, tc := range append(cases, membership...) {
		t.Run(tc.name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if tc.name == "remove domain" {
					w.WriteHeader(http.StatusNoContent)
					return
				}
				sendJSON(w, 200, map[string]any{})
			})
			c := connect(t, s.URL+"/", Options{})

			err := tc.call(t.Context(), c)
			if err != nil {
				t.Fatalf("got error %v, want none", err)
			}
			r := s.requests()[0]
			got := called{r.method, strings.TrimPrefix(r.path, "/api/v1"), r.query, r.body}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
			if got := r.header.Get("Authorization"); got != "Bearer secret" {
				t.Errorf("got authorization %q, want the bearer token", got)
			}
			if got, want := r.header.Get("Idempotency-Key") != "", tc.want.Method != "GET"; got != want {
				t.Errorf("got an idempotency key: %t, want %t", got, want)
			}
		})
	}
}

func TestNew_RefusesBadAddressAndToken(t *testing.T) {
	for _, tc := range []struct{ url, token string }{
		{"", "t"},
		{"127.0.0.1:7420", "t"},
		{"ftp://h", "t"},
		{"http://", "t"},
		{"http://u:p@h", "t"},
		{"http://h?x=1", "t"},
		{"http://h", "two words"},
		{"http://h", "t\n"},
	} {
		_, err := New(tc.url, tc.token, Options{})

		if got := cluster.CodeOf(err); err == nil || got != cluster.CodeInvalid {
			t.Errorf("New(%q, %q): got %v, want an error of code invalid", tc.url, tc.token, err)
		}
	}
}

func TestClient_RefusesSegmentsThatNameAnotherPath(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { sendJSON(w, 200, wire.App{}) })
	c := connect(t, s.URL, Options{})

	for _, name := range []string{"", ".", ".."} {
		_, err := c.App(t.Context(), name)

		if got := cluster.CodeOf(err); got != cluster.CodeInvalid {
			t.Errorf("App(%q): got %v, want invalid", name, err)
		}
	}
	if got := len(s.requests()); got != 0 {
		t.Errorf("got %d requests, want none", got)
	}
}

func TestClient_SaysWhenNobodyListens(t *testing.T) {
	c := connect(t, "http://"+testkit.FreeAddr(t), Options{RetryWindow: -1})

	_, err := c.Whoami(t.Context())

	if cluster.CodeOf(err) != cluster.CodeUnavailable {
		t.Fatalf("got %v, want code unavailable", err)
	}
	for _, want := range []string{"can't reach " + c.URL(), "connection refused", "is aortad running"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %q, want it to hold %q", err, want)
		}
	}
}

func TestClient_SaysWhenTheAnswerIsSlow(t *testing.T) {
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	c := connect(t, s.URL, Options{})

	_, err := exchange[wire.App](t.Context(), c.endpoint, call{method: "GET", path: "apps", limit: 50 * time.Millisecond})

	if cluster.CodeOf(err) != cluster.CodeUnavailable || !strings.Contains(err.Error(), "no answer in 50ms") {
		t.Errorf("got %v, want unavailable with the limit named", err)
	}
}

func TestClient_CallersCancelIsNotUnavailable(t *testing.T) {
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	c := connect(t, s.URL, Options{})
	_, err := c.Whoami(testkit.EndedBy(t, 50*time.Millisecond))

	if !errors.Is(err, context.DeadlineExceeded) || cluster.CodeOf(err) == cluster.CodeUnavailable {
		t.Errorf("got %v, want the context's own end", err)
	}
}

func TestClient_RepeatsAWriteUnderOneKey(t *testing.T) {
	faults := map[string]func(t *testing.T, w http.ResponseWriter){
		"cut before the answer": func(t *testing.T, w http.ResponseWriter) { cut(t, w) },
		"503 with Retry-After": func(_ *testing.T, w http.ResponseWriter) {
			w.Header().Set("Retry-After", "0")
			sendProblem(w, wire.Problem{Status: 503, Detail: "busy"})
		},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			var n atomic.Int32
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if n.Add(1) < 3 {
					fault(t, w)
					return
				}
				sendJSON(w, 201, wire.App{Name: "shop"})
			})
			var noticed atomic.Int32
			c := connect(t, s.URL, brief(func(string) { noticed.Add(1) }))

			a, err := c.CreateApp(t.Context(), "shop")

			if err != nil || a.Name != "shop" {
				t.Fatalf("got %+v, %v, want the app", a, err)
			}
			keys := map[string]bool{}
			for _, r := range s.requests() {
				keys[r.header.Get("Idempotency-Key")] = true
				if r.body != `{"name":"shop"}` {
					t.Errorf("got body %q, want the same each time", r.body)
				}
			}
			if len(keys) != 1 || keys[""] {
				t.Errorf("got keys %v, want one", keys)
			}
			if noticed.Load() != 1 {
				t.Errorf("got %d notices, want 1", noticed.Load())
			}
		})
	}
}

func TestClient_RepeatsAWriteUntilTheServerIsBack(t *testing.T) {
	addr := testkit.FreeAddr(t)
	back := make(chan struct{})
	c := connect(t, "http://"+addr, brief(func(string) { close(back) }))
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { sendJSON(w, 202, wire.Accepted{Job: "j"}) })}
	t.Cleanup(func() { _ = srv.Close() })
	go func() { // ends with srv.Close
		<-back
		if l, err := net.Listen("tcp", addr); err == nil {
			_ = srv.Serve(l)
		}
	}()

	a, err := c.Stop(t.Context(), "shop")

	if err != nil || a.Job != "j" {
		t.Errorf("got %+v, %v, want the job", a, err)
	}
}

func TestClient_FailsAtOnceWhereRepeatingIsWrong(t *testing.T) {
	cases := map[string]func(w http.ResponseWriter){
		"500":                     func(w http.ResponseWriter) { sendProblem(w, wire.Problem{Status: 500, Detail: "broken"}) },
		"503 without Retry-After": func(w http.ResponseWriter) { sendProblem(w, wire.Problem{Status: 503, Detail: "away"}) },
		"503 for too long": func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "3600")
			sendProblem(w, wire.Problem{Status: 503, Detail: "away"})
		},
		"409 with Retry-After": func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "0")
			sendProblem(w, wire.Problem{Status: 409, Detail: "lost"})
		},
		"not our JSON": func(w http.ResponseWriter) { _, _ = io.WriteString(w, "<html>") },
	}
	for name, answer := range cases {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) { answer(w) })
			c := connect(t, s.URL, Options{})

			_, err := c.CreateApp(t.Context(), "shop")

			if got := len(s.requests()); err == nil || got != 1 {
				t.Errorf("got %d requests and %v, want one and an error", got, err)
			}
		})
	}
}

func TestClient_UploadNamesItsOwnFailure(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { sendJSON(w, 202, wire.Accepted{}) })
	c := connect(t, s.URL, Options{})
	broken := errors.New("disk gone")

	_, err := c.DeployArchive(t.Context(), "shop", Archive{Open: func() (io.ReadCloser, error) {
		r, w := io.Pipe()
		go func() { _, _ = w.Write([]byte("half")); w.CloseWithError(broken) }()
		return r, nil
	}})

	if !errors.Is(err, broken) || cluster.CodeOf(err) == cluster.CodeUnavailable {
		t.Errorf("got %v, want the reader's own failure", err)
	}
}

// endless is a body that would never stop.
type endless struct{ read atomic.Int64 }

func (e *endless) Read(p []byte) (int, error) { e.read.Add(int64(len(p))); return len(p), nil }
func (e *endless) Close() error               { return nil }

func TestClient_RefusedUploadSendsNothing(t *testing.T) {
	srv := serveRaw(t, func(w http.ResponseWriter, _ *http.Request) {
		sendProblem(w, wire.Problem{Status: 404, Detail: `there is no app "shop"`, Code: "not_found"})
	})
	c := connect(t, srv, Options{})
	body := &endless{}

	_, err := c.DeployArchive(t.Context(), "shop", Archive{Open: func() (io.ReadCloser, error) { return body, nil }})

	if cluster.CodeOf(err) != cluster.CodeNotFound || err.Error() != `there is no app "shop"` {
		t.Errorf("got %v, want the server's refusal", err)
	}
	if got := body.read.Load(); got != 0 {
		t.Errorf("got %d bytes read, want none before the server asked for them", got)
	}
}

// serveRaw serves without reading the request's body.
func serveRaw(tb testing.TB, h http.HandlerFunc) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	srv := &http.Server{Handler: h}
	go func() { _ = srv.Serve(l) }() // ends with srv.Close
	tb.Cleanup(func() { _ = srv.Close() })
	return "http://" + l.Addr().String()
}
