package main

import (
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"aorta/web/client/contexts"
	"aorta/web/wire"
)

var update = flag.Bool("update", false, "write the golden files anew")

// views are the commands that list or show, each on the data of crowded.
var views = []string{
	"apps", "apps info", "builds", "builds secrets", "builds show", "config", "config get", "contexts", "doctor", "domains", "images",
	"jobs", "jobs --all", "jobs show", "logs", "nodes", "nodes show", "nodes token list", "open", "plan drain", "plan ps scale", "ps", "ps scale", "releases", "releases info", "route", "stats", "status",
	"version", "whoami",
}

// Each view fits a terminal of 80 columns, as somebody has read it here.
func TestViews_Fit80Columns(t *testing.T) {
	api := crowded(t)
	for _, view := range views {
		t.Run(view, func(t *testing.T) {
			c := newCLI(t, nil)
			c.context("local", contexts.Context{URL: api.URL, Token: "secret"})
			c.context("production", contexts.Context{URL: "https://aorta.platform.internal.example.com:7420/with/a/path/before/it", Token: "t"})
			c.env["NO_COLOR"], c.env["AORTA_APP"], c.term = "1", longApp, true

			got := c.run(append(strings.Fields(view), argumentOf[view]...)...)

			wantCode(t, got, exitOf[view])
			text := strings.ReplaceAll(got.out+got.err, api.URL, "http://127.0.0.1:12345")
			golden(t, view, "$ aorta "+view+"\n"+text)
			for line := range strings.Lines(got.out) {
				words := view == "logs" || view == "open" || strings.HasPrefix(line, "  │ ") // of apps and of their builds, and what is to be copied
				if n := columns(strings.TrimSuffix(line, "\n")); n > 80 && !words {
					t.Errorf("a line of %d columns, want 80 at most:\n%s", n, line)
				}
			}
		})
	}
}

// argumentOf is what a view needs to be told.
var argumentOf = map[string][]string{
	"apps info": {longApp}, "builds show": {"f1"}, "config get": {"GREETING"}, "jobs show": {"f1"}, "nodes show": {"n1"}, "releases info": {"v12"},
	"plan drain": {"n1"}, "plan ps scale": {"web=12"},
}

// exitOf is with what a view ends that says something by it.
var exitOf = map[string]int{"plan drain": exitFailed, "plan ps scale": exitFailed}

// golden compares a text with a file's.
func golden(tb testing.TB, name, got string) {
	tb.Helper()
	file := filepath.Join("testdata/views", strings.ReplaceAll(name, " ", "-")+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if diff := cmp.Diff(string(want), got); diff != "" || err != nil {
		tb.Errorf("%s (-want +got; go test ./cmd/aorta -update, then read the difference): %v\n%s", file, err, diff)
	}
}

// Each command is a view with its golden text, or does something.
func TestViews_AreAllThere(t *testing.T) {
	does := []string{
		"apps create", "apps destroy", "apps grant", "apps rename", "apps revoke", "builds cancel", "builds rebuild", "builds set-secret",
		"builds unset-secret", "config set", "config unset", "contexts remove", "contexts use", "dashboard", "deploy", "domains add", "domains remove", "git",
		"git remote", "images prune", "jobs abort", "jobs discard", "jobs follow", "jobs retry", "login", "logout", "nodes declare-dead", "nodes drain", "nodes undrain", "nodes remove", "nodes tag", "nodes token", "nodes token revoke", "plan", "plan nodes", "plan nodes drain", "plan ps", "plan ps type", "ps restart",
		"ps start", "ps stop", "ps type", "rollback", "route set",
	}
	eachCommand(rootCommand(&session{p: &Program{}}), func(cmd *cobra.Command) {
		path := strings.TrimPrefix(strings.TrimPrefix(cmd.CommandPath(), "aorta"), " ")
		if path != "" && !cmd.Hidden && slices.Contains(does, path) == slices.Contains(views, path) {
			t.Errorf("%q is neither among the views nor among those that do something, or both", path)
		}
	})
}

// The help of each command does too.
func TestHelp_Fits80Columns(t *testing.T) {
	c := newCLI(t, nil)
	eachCommand(rootCommand(&session{p: &Program{}}), func(cmd *cobra.Command) {
		got := c.run(append(strings.Fields(cmd.CommandPath())[1:], "--help")...)

		for line := range strings.Lines(got.out) {
			if n := columns(strings.TrimSuffix(line, "\n")); n > 80 {
				t.Errorf("%s: a line of %d columns: %s", cmd.CommandPath(), n, line)
			}
		}
	})
}

const (
	longApp  = "the-shop-of-the-company-with-a-long-name"
	longHost = "the-shop-of-the-company-with-a-long-name.apps.eu-central.platform.example.com"
)

func hours(n int) time.Time { return *ago(time.Duration(n) * time.Hour) }

// crowded is an API on which everything has a long name, and much is wrong.
func crowded(tb testing.TB) *fakeAPI {
	tb.Helper()
	f := newAPI(tb)
	app := wire.App{
		ID: "0199c1d4-0000-7000-8000-00000000a001", Name: longApp, Release: "v120", Hosts: []string{longHost, "shop.example.com", "www.shop.example.com"},
		URL: "http://" + longHost + ":8080", GitHTTP: "http://127.0.0.1:7420/git/" + longApp + ".git", Instances: 11, Wanted: 12, State: "serving", Severity: "warn", Verdict: "11 of 12 instances running", CreatedAt: hours(900),
	}
	f.on("GET /whoami", 200, wire.Whoami{User: "ada", Role: "admin", Cluster: "0199c1d4-0000-7000-8000-0000000000c1", Version: "v0.9.1-24-g1a2b3c4"})
	f.on("GET /apps", 200, wire.Page[wire.App]{Items: []wire.App{app, {Name: "blog", Release: "v3", Stopped: true, Verdict: "stopped", CreatedAt: hours(3)}, {Name: "new", Verdict: "not deployed yet", CreatedAt: hours(0)}}})
	crowdedApp(f, app)
	crowdedJobs(f)
	crowdedNodes(f)
	return f
}

// crowdedApp answers for one app, whichever is named by no flag.
func crowdedApp(f *fakeAPI, app wire.App) {
	at := "/apps/" + app.Name
	f.on("GET "+at, 200, app)
	f.on("GET "+at+"/instances", 200, wire.Page[wire.Instance]{Items: []wire.Instance{
		{ID: webID, App: app.Name, Release: "v120", Type: "web", Node: "node-1.eu-central.example.com", Address: "10.120.130.140:20001", State: "running", Verdict: "running", Restarts: 1, StartedAt: ago(3 * time.Minute), CPU: new(0.25), CPUs: 1, Memory: new(int64(400 << 20)), MemoryLimit: 512 << 20},
		{ID: "0199c1d4-0000-7000-8000-0000ffffffff", App: app.Name, Release: "v119", Type: "worker-of-the-queue", Node: "n2", State: "running", Verdict: "crashing (1234 restarts): exited with code 3 after 4 s: panic: no route to the database at 10.1.2.3:5432", Crashing: true, Restarts: 1234, Error: "exited with code 3 after 4 s: panic: no route to the database at 10.1.2.3:5432\ngoroutine 1"},
	}})
	f.on("GET "+at+"/config", 200, wire.Config{Vars: map[string]string{
		"DATABASE_URL": "postgres://shop:secret@database.eu-central.platform.example.com:5432/shop?sslmode=verify-full", "GREETING": "hello world",
	}})
	f.on("GET "+at+"/build-secrets", 200, wire.BuildSecrets{Names: []string{"npmrc", "token"}})
	f.on("POST "+at+"/formation/plan", 200, wire.Plan{
		Changes: true, Missing: []wire.PlanMissing{{App: app.Name, Type: "web", Count: 2, Reason: "9 nodes lack tag disk=ssd; n3 has 124 MB of 1 GB memory left, 512 MB is needed"}},
		Refused: []wire.PlanRefused{{App: app.Name, Type: "web", Node: "n3", Reason: "has 124 MB of 1 GB memory left, 512 MB is needed"}},
	})
	f.on("GET "+at+"/formation", 200, wire.Formation{Processes: []wire.Process{
		{Type: "web", Quantity: 2, Memory: 512 << 20, CPUs: 1},
		{Type: "worker-of-the-queue", Quantity: 10, Memory: 1 << 30, CPUs: 0.5, Require: []string{"disk=ssd", "rack=r7"}, Prefer: []string{"region=eu-central"}, Exclusive: true, StopWhenCutOff: true, Set: []string{"quantity", "memory", "cpus", "require"}, Command: "bundle exec sidekiq -q critical -q default -q low --concurrency 25 --verbose"},
	}})
	releases := []wire.Release{
		{Release: "v120", ID: "0199c1d4-0000-7000-8000-00000000e120", State: "running", Traffic: 100, Image: "registry.eu-central.platform.example.com:5000/company/" + app.Name + "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", Commit: "0123456789abcdef0123456789abcdef01234567", CreatedAt: hours(1), User: "ada@company.example.com", Message: "Make the basket remember what was in it before the session ended, for the sake of all who forget\n\nbody"},
		{Release: "v119", ID: "r119", State: "failed", CreatedAt: hours(26), User: "bob", Message: "first", Error: "1 of 2 instances did not start: it listens on [::]:9999, not on PORT (5000)\nmore"},
	}
	f.on("GET "+at+"/releases", 200, wire.Page[wire.Release]{Items: releases})
	f.on("GET "+at+"/releases/v12", 200, releases[0])
	f.on("GET "+at+"/builds", 200, wire.Page[wire.Build]{Items: []wire.Build{
		{ID: "0199c1d4-0000-7000-8000-0000000000f4", Kind: "commit", Source: releases[0].Commit, State: "running", User: "bob", Message: releases[0].Message, CreatedAt: *ago(time.Minute)},
		{ID: "0199c1d4-0000-7000-8000-0000000000f3", Kind: "commit", Source: releases[0].Commit, State: "succeeded", Size: 1_234_567_890, Steps: 12, Cached: 10, Duration: 93, Release: "v120", User: "ada", CreatedAt: hours(1)},
		{ID: "0199c1d4-0000-7000-8000-0000000000f2", Kind: "image", Source: "registry.eu-central.platform.example.com:5000/company/shop:2026-03-01", State: "succeeded", Size: 5_000_000, Duration: 2.5, Release: "v119", CreatedAt: hours(26)},
		{ID: "0199c1d4-0000-7000-8000-0000000000f1", Kind: "archive", Source: "0123", State: "failed", Error: "the build failed at \"RUN make\": exit code: 2\nmore", Duration: 600, CreatedAt: hours(26)},
	}})
	f.on("GET "+at+"/domains", 200, wire.Page[wire.Domain]{Items: []wire.Domain{{Host: longHost, Own: true, CreatedAt: hours(900)}, {Host: "shop.example.com", CreatedAt: hours(20)}}})
	f.on("GET "+at+"/route", 200, wire.Route{Timeout: 90, IdleTimeout: 3600, MaxBody: 50 << 20, Set: []string{"timeout", "max_body"}})
	f.on("GET "+at+"/logs", 200, wire.Page[wire.LogLine]{Items: []wire.LogLine{{Time: noon, Release: "v120", Type: "web", Instance: webID, Text: "GET / 200 12ms"}}})
	p := []float64{12, 1250, 61_000}
	f.on("GET "+at+"/stats", 200, wire.Stats{
		App: app.Name, Requests: 12_345_678_901, Attempts: 12_345_678_999, Bytes: 5_000_000_000_000,
		Status: map[string]int64{"2xx": 12_345_000_000, "3xx": 600_000, "4xx": 70_000, "5xx": 8_901}, P50: &p[0], P95: &p[1], P99: &p[2],
		Window: wire.StatsWindow{Seconds: 90 * 86400, Requests: 1_345_678_901, Bytes: 500_000_000_000, Status: map[string]int64{"2xx": 1_345_000_000, "3xx": 600_000, "4xx": 70_000, "5xx": 8_901}},
	})
}

func crowdedJobs(f *fakeAPI) {
	failed := wire.Job{
		ID: "0199c1d4-0000-7000-8000-0000000000f1", Kind: "deploy", Title: "Deploy image registry.example.com/company/shop:2026-03-01 to " + longApp, App: longApp, User: "ada@company.example.com", State: "failed", Attention: true,
		Error: "the build failed: process \"/bin/sh -c go build ./...\" did not complete successfully: exit code: 1\nmore", CreatedAt: ago(time.Hour), EndedAt: ago(time.Hour - 90*time.Second),
	}
	list := []wire.Job{
		{ID: "0199c1d4-0000-7000-8000-0000000000f3", Title: "Scale " + longApp + ": web=3", App: longApp, State: "waiting", WaitsFor: &wire.Ahead{ID: failed.ID, Title: "Deploy a1b2c3d4e5 to " + longApp, User: "ada"}, User: "ada@company.example.com", CreatedAt: ago(time.Second)},
		{ID: "0199c1d4-0000-7000-8000-0000000000f2", Title: "Deploy a1b2c3d4e5 to blog", App: "blog", State: "running", Progress: wire.Progress{N: 3, M: 9, Text: "layers"}, User: "bob", CreatedAt: ago(time.Minute)},
		failed,
		{ID: "0199c1d4-0000-7000-8000-0000000000f0", Title: "Stop blog", App: "blog", State: "succeeded", User: "bob", CreatedAt: ago(time.Hour), EndedAt: ago(time.Hour - 2*time.Second)},
		{ID: "0199c1d4-0000-7000-8000-0000000000ef", Title: "Replace 1 missing instance of blog", App: "blog", State: "failed", Error: "no image", Reason: "web.0a1b2c3d on node-1.eu-central.example.com: it exited with 137 (out of memory)", CreatedAt: ago(2 * time.Hour), EndedAt: ago(2*time.Hour - 2*time.Second)},
	}
	f.mux.HandleFunc("GET /api/v1/jobs", func(w http.ResponseWriter, r *http.Request) {
		own := func(j wire.Job) bool { return j.User == "" }
		page := wire.Page[wire.Job]{Items: list}
		switch by := r.URL.Query().Get("by"); by {
		case "people":
			page.Items = slices.DeleteFunc(slices.Clone(list), own)
		case "aorta":
			page.Items = list[len(list)-1:]
		}
		_ = json.NewEncoder(w).Encode(page)
	})
	failed.Children = []wire.Job{{ID: "s1", Parent: failed.ID, Kind: "build", Title: "Build the image", Node: "n1", State: "failed", Error: failed.Error, StartedAt: ago(time.Hour), EndedAt: ago(time.Hour - 80*time.Second)}}
	f.on("GET /jobs/f1", 200, failed)
	f.on("GET /jobs/f1/log", 200, wire.Page[wire.JobLogLine]{Items: []wire.JobLogLine{{Job: "s1", Time: noon, Text: "main.go:12:2: undefined: x"}}})
	f.on("GET /status", 200, wire.Status{
		Cluster: "0199c1d4-0000-7000-8000-0000000000c1", State: "attention", Reasons: []string{
			longApp + ": 11 of 12 instances running (see aorta logs -a " + longApp + ").",
			"Deploy image registry.example.com/company/shop:2026-03-01 to " + longApp + " failed: the build failed (see aorta jobs show 000000f1; to dismiss it: aorta jobs discard 000000f1)",
			"Node n2 is dead: all that ran there runs elsewhere, and it is used again once it reports; check aortad and the network there; if the machine is lost for good, run aorta nodes remove n2.",
		}, Version: "v0.9.1-24-g1a2b3c4", Epoch: 14, Generation: 900, Nodes: 2, NodesReady: 1, NodesText: "2 nodes: 1 ready, 1 suspect", Apps: 3, Instances: 11, OpenJobs: list[1:2],
	})
}

func crowdedNodes(f *fakeAPI) {
	none := wire.PlanRefused{App: longApp, Type: "worker-of-the-queue", Node: "node-2.eu-central.example.com", Reason: "lacks tag disk=ssd"}
	f.on("GET /nodes/n1/drain/plan", 200, wire.Plan{
		Changes: true, Refused: []wire.PlanRefused{none},
		Steps: []wire.PlanStep{
			{Action: "start", App: longApp, Type: "web", Node: "node-2.eu-central.example.com"},
			{Action: "stop", App: longApp, Type: "web", Node: "node-1.eu-central.example.com", Instance: "0199c1d4-0000-7000-8000-0000000000f1", Exclusive: true},
		},
		Missing: []wire.PlanMissing{{App: longApp, Type: "worker-of-the-queue", Count: 2, Reason: "node-2.eu-central.example.com lacks tag disk=ssd; node-1.eu-central.example.com is draining"}},
	})
	score, heard := 0.25, 1.5
	node := wire.Node{
		NodeFacts: wire.NodeFacts{
			ID: "0199c1d4-0000-7000-8000-0000000000e1", Name: "node-1.eu-central.example.com", Address: "10.120.130.140", Roles: []string{"pacemaker", "heart", "router", "builder"}, State: "ready", Score: &score,
			Tags: map[string]string{"ssd": "yes", "region": "eu-central", "generation": "ninth"}, Instances: 11,
		},
		HeardAgo: &heard,
		NodeDetails: wire.NodeDetails{
			Generation: 900, CreatedAt: *ago(900 * time.Hour),
			ScoreParts: []wire.ScorePart{
				{Name: "cpu", Value: 0.25, Text: "2.0 of 8 cores busy"},
				{Name: "load", Value: 0.21, Text: "1.7 running or waiting for a disk, on 8 cores (1 min)"},
				{Name: "memory", Value: 0.125, Text: "4 GB of 32 GB in use"},
				{Name: "disk", Value: 0.2, Text: "412.9 GB free"},
				{Name: "instances", Value: 0.17, Text: "5.5 GB of memory promised to 11 instances"},
			},
			TagSources: map[string]string{"ssd": "set", "region": "cloud", "generation": "configured"},
		},
	}
	minutes := 180.0
	silent := wire.Node{NodeFacts: wire.NodeFacts{ID: "id2", Name: "n2", Address: "10.0.0.2", Roles: []string{"heart"}, State: "dead", Score: &score, Instances: 2, Draining: true, Since: ago(2 * time.Minute)}, HeardAgo: &minutes}
	held := wire.Node{NodeFacts: wire.NodeFacts{ID: "id3", Name: "n3", Address: "10.0.0.3", Roles: []string{"heart", "router"}, State: "ready", Score: &score, Instances: 1, HeldUntil: ago(-time.Minute)}, HeardAgo: &heard}
	f.on("GET /nodes", 200, wire.Page[wire.Node]{Items: []wire.Node{node, silent, held}})
	f.on("GET /nodes/n1", 200, node)
	f.on("GET /nodes/n2", 200, silent)
	f.on("GET /nodes/n3", 200, held)
	f.on("GET /nodes/n2/instances", 200, wire.Page[wire.NodeInstance]{Items: []wire.NodeInstance{}})
	f.on("GET /nodes/n3/instances", 200, wire.Page[wire.NodeInstance]{Items: []wire.NodeInstance{}})
	f.on("GET /nodes/n1/instances", 200, wire.Page[wire.NodeInstance]{Items: []wire.NodeInstance{
		{Instance: wire.Instance{ID: "0199c1d4-0000-7000-8000-0000000000f1", App: longApp, Release: "v120", Type: "web", State: "running", Verdict: "running"}},
		{
			Instance: wire.Instance{ID: "0199c1d4-0000-7000-8000-0000000000f2", App: longApp, Release: "v120", Type: "worker-of-the-queue", State: "running", Verdict: "running"},
			Next:     "finds no other node: node-2.eu-central.example.com lacks tag disk=ssd",
		},
		{
			Instance: wire.Instance{ID: "0199c1d4-0000-7000-8000-0000000000f3", App: "blog", Release: "v3", Type: "web", State: "draining", Verdict: "draining"},
			Work:     &wire.LiveRef{ID: "0199c1d4-0000-7000-8000-0000000000e9", Title: "Stop 1 instance of blog"},
		},
	}})
	f.on("GET /node-tokens", 200, wire.Page[wire.JoinToken]{Items: []wire.JoinToken{
		{ID: "0190a0b0-0000-7000-8000-0000000000f1", Name: "node-1.eu-central.example.com", Roles: []string{"heart", "router", "builder"}, Tags: map[string]string{"region": "eu-central"}, Uses: 1, CreatedBy: "ann", ExpiresAt: *ago(-50 * time.Minute)},
		{ID: "0190a0b0-0000-7000-8000-0000000000f2", Roles: []string{}, Uses: 10, Used: 3, CreatedBy: "ann", ExpiresAt: *ago(-48 * time.Hour)},
	}})
	f.on("GET /apps/"+longApp+"/images", 200, wire.Page[wire.Image]{Items: []wire.Image{
		{ID: "sha256:fedcba9876543210", Node: node.Name, Releases: []string{}, Size: 20_000_000, CreatedAt: *ago(100 * time.Hour), Collect: true, Because: "its app is gone"},
		{ID: "sha256:0123456789abcdef", Node: node.Name, App: longApp, Releases: []string{"v120", "v119", "v118", "v117"}, Size: 1_615_000_000, CreatedAt: *ago(time.Hour), InUse: true, Because: "v120 serves or has instances"},
	}})
}
