package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aorta/web/client/contexts"
	"aorta/web/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is the tests' present.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) *time.Time { t := noon.Add(-d); return &t }

const webID = "0199c1d4-0000-7000-8000-00001a2b3c4d"

// fakeAPI has the API's shapes over fixed data and remembers what it was asked.
type fakeAPI struct {
	*httptest.Server
	mux *http.ServeMux

	mu  sync.Mutex // guards got
	got []string   // "METHOD path?query body"
}

func newAPI(tb testing.TB) *fakeAPI {
	tb.Helper()
	f := &fakeAPI{mux: http.NewServeMux()}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	tb.Cleanup(f.Close)
	f.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		problem(w, 404, "not_found", "there is nothing at "+r.URL.Path)
	})
	return f
}

func (f *fakeAPI) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	asked := r.Method + " " + strings.TrimPrefix(r.URL.RequestURI(), "/api/v1")
	if len(body) > 0 && r.Header.Get("Content-Type") == "application/json" {
		asked += " " + string(body)
	}
	f.mu.Lock()
	f.got = append(f.got, asked)
	f.mu.Unlock()
	switch r.Header.Get("Authorization") {
	case "Bearer secret":
		f.mux.ServeHTTP(w, r)
	case "Bearer viewer":
		problem(w, 403, "forbidden", "a viewer may not do this (ask an admin)")
	default:
		problem(w, 401, "forbidden", "the token is not known")
	}
}

// writes are the requests that change something.
func (f *fakeAPI) writes() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for _, r := range f.got {
		if !strings.HasPrefix(r, "GET ") {
			out = append(out, r)
		}
	}
	return out
}

func (f *fakeAPI) asked(what string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.got {
		if r == what {
			return true
		}
	}
	return false
}

// on answers a pattern below /api/v1 with JSON.
func (f *fakeAPI) on(pattern string, status int, v any) {
	method, path, _ := strings.Cut(pattern, " ")
	f.mux.HandleFunc(method+" /api/v1"+path, func(w http.ResponseWriter, _ *http.Request) {
		if v == nil {
			w.WriteHeader(status)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	})
}

func (f *fakeAPI) fails(pattern string, status int, code, detail string) {
	method, path, _ := strings.Cut(pattern, " ")
	f.mux.HandleFunc(method+" /api/v1"+path, func(w http.ResponseWriter, _ *http.Request) { problem(w, status, code, detail) })
}

func problem(w http.ResponseWriter, status int, code, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(wire.Problem{Title: http.StatusText(status), Status: status, Detail: detail, Code: code})
}

// streams answers a pattern with events: pairs of a name and its data.
func (f *fakeAPI) streams(pattern string, events ...any) {
	f.mux.HandleFunc("GET /api/v1"+pattern, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := 0; i < len(events); i += 2 {
			data, _ := json.Marshal(events[i+1])
			fmt.Fprintf(w, "id: %d\nevent: %s\ndata: %s\n\n", i, events[i], data)
		}
	})
}

// job answers for a tree of one failed or succeeded step below a root.
func (f *fakeAPI) job(id, state, cause string) {
	root := wire.Job{ID: id, Kind: "deploy", Title: "Deploy shop", App: "shop", State: "waiting"}
	step := wire.Job{ID: "s1", Parent: id, Kind: "build", Title: "Build the image", Node: "n1", State: "running", StartedAt: ago(5 * time.Second)}
	build := wire.Step{ID: "build", Name: "Build", State: "running", Attempt: 1, StartedAt: step.StartedAt, Jobs: []string{"s1"}}
	done, end, built := step, root, build
	done.State, done.Error, done.EndedAt = state, cause, ago(2*time.Second)
	built.State, built.Error, built.EndedAt = done.State, done.Error, done.EndedAt
	end.State, end.Error = state, cause
	f.streams("/jobs/"+id+"/events", "job", root, "job", step, "step", build,
		"log", wire.JobLogLine{Job: "s1", Text: "step 1 of 2"}, "log", wire.JobLogLine{Job: "s1", Text: "\x1b[31mred\x1b[0m \x1b[2Jtext"},
		"job", done, "step", built, "job", end, "end", end)
	tree := end
	tree.Children, tree.Steps = []wire.Job{done}, []wire.Step{built}
	f.on("GET /jobs/"+id, 200, tree)
	f.on("GET /jobs/"+id+"/log", 200, wire.Page[wire.JobLogLine]{Items: []wire.JobLogLine{
		{Job: id, Time: noon, Text: "of another job"}, {Job: "s1", Time: noon.Add(time.Second), Text: "the last word"},
	}})
}

// cli runs the program in a home and a directory of its own.
type cli struct {
	tb   testing.TB
	env  map[string]string
	dir  string
	term bool // both outputs are a terminal
}

func newCLI(tb testing.TB, api *fakeAPI) *cli {
	tb.Helper()
	home := tb.TempDir()
	c := &cli{tb: tb, dir: filepath.Join(home, "work"), env: map[string]string{"HOME": home}}
	if err := os.Mkdir(c.dir, 0o755); err != nil {
		tb.Fatal(err)
	}
	if api != nil {
		c.context("local", contexts.Context{URL: api.URL, Token: "secret"})
	}
	return c
}

func (c *cli) configPath() string { return filepath.Join(c.env["HOME"], ".config/aorta/config.json") }

func (c *cli) context(name string, ctx contexts.Context) {
	c.tb.Helper()
	if err := contexts.Offer(c.configPath(), name, ctx); err != nil {
		c.tb.Fatal(err)
	}
}

func (c *cli) program() *Program {
	return &Program{
		Getenv: func(k string) string { return c.env[k] }, Dir: c.dir, Executable: "/opt/it's/aorta",
		Now: func() time.Time { return noon }, IsTerminal: func(io.Writer) bool { return c.term },
		Browse: func(context.Context, string) error { return errNoBrowser },
	}
}

// ran is what a run left.
type ran struct {
	code     int
	out, err string
}

func (c *cli) run(args ...string) ran { return c.runWith("", args...) }

func (c *cli) runWith(input string, args ...string) ran {
	c.tb.Helper()
	var out, errs bytes.Buffer
	code := c.program().Run(c.tb.Context(), args, strings.NewReader(input), &out, &errs)
	return ran{code, out.String(), errs.String()}
}

// file writes a file below the working directory.
func (c *cli) file(name, text string) {
	c.tb.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		c.tb.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		c.tb.Fatal(err)
	}
}

// git runs git in the working directory, apart from this machine's own settings.
func (c *cli) git(args ...string) string {
	c.tb.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = c.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		c.tb.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// shop is an API with one app in full.
func shop(tb testing.TB) *fakeAPI {
	tb.Helper()
	f := newAPI(tb)
	app := wire.App{
		ID: "a1", Name: "shop", Release: "v3", Hosts: []string{"shop.example.com"}, URL: "http://shop.example.com",
		GitHTTP: f.URL + "/git/shop.git", Instances: 2, Wanted: 3, State: "serving", Severity: "warn", Verdict: "2 of 3 instances running", CreatedAt: *ago(50 * time.Hour), Version: 7,
	}
	f.on("GET /whoami", 200, wire.Whoami{User: "ada", Role: "admin", Cluster: "c1", Version: "1.0"})
	f.on("GET /apps", 200, wire.Page[wire.App]{Items: []wire.App{app}})
	f.on("GET /apps/shop", 200, app)
	f.on("GET /apps/shop/instances", 200, wire.Page[wire.Instance]{Items: []wire.Instance{
		{ID: webID, App: "shop", Release: "v3", Type: "web", Node: "n1", Address: "10.0.0.1:20001", State: "running", Verdict: "running", Restarts: 1, StartedAt: ago(3 * time.Minute), CPU: new(0.125), CPUs: 0.5, Memory: new(int64(64 << 20)), MemoryLimit: 512 << 20},
		{ID: "0199c1d4-0000-7000-8000-0000ffffffff", App: "shop", Release: "v3", Type: "worker", Node: "n2", State: "running", Verdict: "crashing: exit 1", Crashing: true, Error: "exit 1\nmore"},
	}})
	f.on("GET /apps/shop/config", 200, wire.Config{Vars: map[string]string{"B": "two words", "A": "1"}})
	f.on("GET /apps/shop/build-secrets", 200, wire.BuildSecrets{Names: []string{"npmrc", "token"}})
	f.on("GET /apps/shop/formation", 200, wire.Formation{Processes: []wire.Process{{Type: "web", Quantity: 2, Memory: 512 << 20, CPUs: 1}}})
	f.on("GET /apps/shop/builds", 200, wire.Page[wire.Build]{Items: []wire.Build{{ID: webID, Kind: "image", Source: "shop:3", State: "succeeded", Release: "v3", User: "ada", CreatedAt: hours(1)}}})
	f.on("GET /apps/shop/releases", 200, wire.Page[wire.Release]{Items: []wire.Release{
		{Release: "v3", ID: "r3", State: "running", Traffic: 100, Image: "shop:3", CreatedAt: *ago(time.Hour), User: "ada", Message: "faster\nbody"},
		{Release: "v2", ID: "r2", State: "retired", Image: "shop:2", CreatedAt: *ago(26 * time.Hour), User: "ada", Message: "first"},
	}})
	f.on("GET /apps/shop/rollback", 200, wire.RollbackPlan{From: "v3", Release: "v2", Message: "first\nbody", Set: []string{"GREETING"}, Unset: []string{"DEBUG"}, Instances: 2})
	f.on("GET /apps/shop/releases/v3", 200, wire.Release{Release: "v3", ID: "r3", State: "running", Traffic: 100, Image: "shop:3", User: "ada"})
	f.on("GET /apps/shop/domains", 200, wire.Page[wire.Domain]{Items: []wire.Domain{{Host: "shop.example.com", App: "shop", CreatedAt: *ago(time.Minute)}}})
	f.on("GET /apps/shop/route", 200, wire.Route{Timeout: 90, IdleTimeout: 3600, MaxBody: 50 << 20, Set: []string{"timeout", "max_body"}, Source: []string{"max_body"}})
	f.on("GET /apps/shop/logs", 200, wire.Page[wire.LogLine]{Items: []wire.LogLine{
		{Time: noon, Release: "v3", Type: "web", Instance: webID, Text: "\x1b[32mhello\x1b[0m\x1b]0;title\x07 \x1b[2Jworld\tx\rback"},
	}})
	p50, p95, p99 := 12.0, 40.25, 90.0
	f.on("GET /apps/shop/stats", 200, wire.Stats{
		App: "shop", Requests: 1000, Attempts: 1001, Bytes: 5000,
		Status: map[string]int64{"2xx": 980, "3xx": 5, "4xx": 10, "5xx": 5}, P50: &p50, P95: &p95, P99: &p99,
		Window: wire.StatsWindow{Seconds: 3600, Requests: 200, Bytes: 900, Status: map[string]int64{"2xx": 150, "3xx": 3, "4xx": 7, "5xx": 40}},
	})
	score, heard := 0.25, 1.5
	node := wire.Node{
		NodeFacts: wire.NodeFacts{
			ID: "id1", Name: "n1", Address: "10.0.0.1", Roles: []string{"heart", "router"}, State: "ready", Score: &score,
			Tags: map[string]string{"ssd": "yes", "eu": "1"}, Instances: 2,
		},
		HeardAgo: &heard, NodeDetails: wire.NodeDetails{Generation: 9},
	}
	silent := wire.Node{NodeFacts: wire.NodeFacts{ID: "id2", Name: "n2", Address: "10.0.0.2", Roles: []string{"heart"}, State: "suspect"}}
	f.on("GET /nodes", 200, wire.Page[wire.Node]{Items: []wire.Node{node, silent}})
	f.on("GET /nodes/n1", 200, node)
	f.on("GET /nodes/n1/instances", 200, wire.Page[wire.NodeInstance]{Items: []wire.NodeInstance{}})
	f.on("GET /status", 200, wire.Status{
		Cluster: "c1", State: "attention", Reasons: []string{"node n2 is silent since 12:00 (look at it: aorta nodes show n2)"},
		Version: "1.0", Epoch: 4, Generation: 9, Nodes: 2, NodesReady: 1, Apps: 1, Instances: 2,
		OpenJobs: []wire.Job{{ID: "j1", Title: "Deploy shop", State: "running"}},
	})
	f.on("GET /jobs", 200, wire.Page[wire.Job]{Items: []wire.Job{{ID: webID, Title: "Deploy shop", App: "shop", User: "ada", State: "running", CreatedAt: ago(time.Minute)}}})
	f.job("j1", "succeeded", "")
	return f
}

func wantCode(tb testing.TB, r ran, code int) {
	tb.Helper()
	if r.code != code {
		tb.Errorf("got exit code %d, want %d\nstdout: %s\nstderr: %s", r.code, code, r.out, r.err)
	}
}

func wantIn(tb testing.TB, what, got string, parts ...string) {
	tb.Helper()
	for _, p := range parts {
		if !strings.Contains(got, p) {
			tb.Errorf("%s: got\n%s\nwant it to hold %q", what, got, p)
		}
	}
}

// sharedBuffer is written by a running program and read by its test.
type sharedBuffer struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (b *sharedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *sharedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
