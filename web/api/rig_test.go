package api

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"
	"go.uber.org/goleak"

	"aorta/internal/seal"
	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/logstore"
	"aorta/pacemaker/store"
	"aorta/router"
	"aorta/web/wire"
)

func TestMain(m *testing.M) {
	testkit.Parallel(6)
	// gorm's cache of prepared statements has no end.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("gorm.io/gorm/internal/lru.NewLRU[...].func1"))
}

// The tokens of the rig's users.
const (
	adminToken     = "token-of-admin"
	developerToken = "token-of-developer"
	viewerToken    = "token-of-viewer"
)

// rig is both APIs over a real store and a real pacemaker.
type rig struct {
	tb    testing.TB
	dir   string
	store *store.Store
	pace  *pacemaker.Pacemaker
	jobs  *fakeJobs
	api   huma.API
	nodes huma.API
	inner *API
	url   string
	urlN  string // of the nodes' API
	log   *syncBuffer
}

func newRig(tb testing.TB) *rig {
	tb.Helper()
	r := &rig{tb: tb, dir: tb.TempDir(), jobs: newFakeJobs(), log: &syncBuffer{}}
	log := slog.New(slog.NewTextHandler(r.log, nil))
	sealer, err := seal.Open(filepath.Join(r.dir, "config.key"), true)
	must(tb, err)
	seed(tb, r.dir)
	r.store, err = store.Open(tb.Context(), store.Config{Dir: r.dir, Sealer: sealer, Log: log})
	must(tb, err)
	logs, err := logstore.Open(filepath.Join(r.dir, "logs"), logstore.Config{}, log)
	must(tb, err)
	id, err := r.store.Cluster(tb.Context())
	must(tb, err)
	r.pace = pacemaker.New(pacemaker.Config{
		Domain: "test.local", RouterURL: "http://%s", ReposDir: filepath.Join(r.dir, "repos"), SourcesDir: filepath.Join(r.dir, "sources"),
		DrainLimit: time.Second, RouterSilence: time.Second, DeadAfter: time.Minute, Log: log,
	}, pacemaker.Parts{Store: r.store, Jobs: r.jobs, Table: noTable{}, Gate: openGate{}}, id, 7)
	cfg := Config{
		Pacemaker: r.pace, Stats: noStats{}, Logs: logs, Log: log, Version: "test",
		Welcome: func(n cluster.Node) (cluster.Welcome, error) { return cluster.Welcome{NodeID: n.ID}, nil },
	}
	r.inner = &API{Config: cfg, pace: r.pace, store: r.store}
	people, nodes := chi.NewRouter(), chi.NewRouter()
	r.api, r.nodes = Mount(people, cfg), MountNodes(nodes, cfg)
	front, back := httptest.NewServer(people), httptest.NewServer(nodes)
	r.url, r.urlN = front.URL, back.URL
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.pace.Run(ctx) }() // ended below
	tb.Cleanup(func() {
		front.CloseClientConnections()
		front.Close()
		back.Close()
		stop()
		if err := <-done; err != nil {
			tb.Errorf("the pacemaker ended with %v", err)
		}
		_ = logs.Close()
		_ = r.store.Close()
	})
	return r
}

// template is a database with its schema, the rig's users and their tokens,
// made once: migrating takes longer than most tests.
var template = sync.OnceValues(func() (raw []byte, err error) {
	dir, err := os.MkdirTemp("", "template")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ctx := context.Background() // of no one test
	s, err := store.Open(ctx, store.Config{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	_, err = s.Bootstrap(ctx, "admin", adminToken)
	path := filepath.Join(dir, "aorta.db")
	if err = errors.Join(err, s.Close(), addUsers(path)); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// addUsers enters a viewer, a developer, and tokens that are no longer good.
func addUsers(path string) error {
	return execute(path, `INSERT INTO users VALUES ('u1', 'dev', 'developer', 0), ('u2', 'eye', 'viewer', 0);
		INSERT INTO tokens VALUES ('t1', 'u1', ?, 0, NULL, NULL), ('t2', 'u2', ?, 0, NULL, NULL), ('t3', 'u1', ?, 0, NULL, 1), ('t4', 'u1', ?, 0, 1, NULL)`,
		store.HashToken(developerToken), store.HashToken(viewerToken), store.HashToken("revoked"), store.HashToken("expired"))
}

// seed puts a copy of the template into a directory.
func seed(tb testing.TB, dir string) {
	tb.Helper()
	raw, err := template()
	must(tb, err)
	must(tb, os.WriteFile(filepath.Join(dir, "aorta.db"), raw, 0o600))
}

func (r *rig) exec(query string, args ...any) {
	r.tb.Helper()
	must(r.tb, execute(filepath.Join(r.dir, "aorta.db"), query, args...))
}

func execute(path, query string, args ...any) error {
	db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		return err
	}
	_, err = db.Exec(query, args...)
	return errors.Join(err, db.Close())
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// ask is one request.
type ask struct {
	method, path, token string
	body                string
	header              map[string]string
	nodes               bool // ask the nodes' API
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (r *rig) do(a ask) answer {
	r.tb.Helper()
	got, err := r.try(r.tb.Context(), a)
	if err != nil {
		r.tb.Fatalf("%s %s: %v\n%s", a.method, a.path, err, r.log)
	}
	return got
}

func (r *rig) try(ctx context.Context, a ask) (answer, error) {
	base := r.url
	if a.nodes {
		base = r.urlN
	}
	req, err := http.NewRequestWithContext(ctx, a.method, base+prefix+a.path, strings.NewReader(a.body))
	if err != nil {
		return answer{}, err
	}
	if a.token != "" {
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	if a.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range a.header {
		req.Header.Set(k, v)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, body}, err
}

// admin asks as the admin and fails the test unless that succeeds.
func (r *rig) admin(method, path, body string) answer {
	r.tb.Helper()
	got := r.do(ask{method: method, path: path, token: adminToken, body: body})
	if got.status >= 300 {
		r.tb.Fatalf("%s %s: %d %s", method, path, got.status, got.body)
	}
	return got
}

func as[T any](tb testing.TB, a answer) T {
	tb.Helper()
	var v T
	if err := json.Unmarshal(a.body, &v); err != nil {
		tb.Fatalf("read %.300s: %v", a.body, err)
	}
	return v
}

// wantProblem checks that an answer is a problem document of the status.
func wantProblem(tb testing.TB, a answer, status int) wire.Problem {
	tb.Helper()
	p := as[wire.Problem](tb, a)
	if a.status != status || p.Status != status || p.Detail == "" || p.Code == "" || a.header.Get("Content-Type") != "application/problem+json" {
		tb.Errorf("got %d %s %s, want a problem document of %d", a.status, a.header.Get("Content-Type"), a.body, status)
	}
	return p
}

// grep says whether any file of the rig holds the text.
func (r *rig) grep(text string) bool {
	found := false
	err := filepath.WalkDir(r.dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			raw, _ := os.ReadFile(path)
			found = found || bytes.Contains(raw, []byte(text))
		}
		return nil
	})
	must(r.tb, err)
	return found
}

// syncBuffer is a log that many write to.
type syncBuffer struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

type noStats struct{}

func (noStats) App(context.Context, string, string, time.Duration) (wire.Stats, error) {
	return wire.Stats{Status: map[string]int64{}}, nil
}

type openGate struct{}

func (openGate) RunID(context.Context) (string, error)  { return "run", nil }
func (openGate) OpenGate(context.Context, string) error { return nil }

// noTable takes every publish.
type noTable struct{}

func (noTable) Claim(context.Context, uint64) error { return nil }
func (noTable) Publish(context.Context, router.Pair, []router.Record, []string) error {
	return nil
}

func (noTable) Load(context.Context) (router.Table, router.Pair, error) {
	return nil, router.Pair{}, nil
}
func (noTable) Replace(context.Context, router.Pair, router.Table) error { return nil }
func (noTable) DropTombstones(context.Context, time.Time) error          { return nil }

// fakeJobs keeps the trees that it is given and runs nothing.
type fakeJobs struct {
	mu    sync.Mutex // guards all below
	trees map[string]*jobs.Tree
	logs  map[string][]pacemaker.JobLine
	bell  chan struct{} // closed by the next change
}

func newFakeJobs() *fakeJobs {
	return &fakeJobs{trees: map[string]*jobs.Tree{}, logs: map[string][]pacemaker.JobLine{}, bell: make(chan struct{})}
}

// change does something to what it holds and tells the watchers.
func (f *fakeJobs) change(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
	close(f.bell)
	f.bell = make(chan struct{})
}

func (f *fakeJobs) Add(_ context.Context, root jobs.Spec, operation string) error {
	tree, err := jobs.New(root, operation, time.Now())
	if err != nil {
		return err
	}
	f.change(func() { f.trees[root.ID] = tree })
	return nil
}

func (f *fakeJobs) Abort(_ context.Context, id, reason string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.trees[id] == nil {
		return jobs.ErrNotFound
	}
	return f.trees[id].Abort(reason, time.Now())
}

func (f *fakeJobs) Tree(_ context.Context, id string) (*jobs.Tree, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.trees[id] == nil {
		return nil, jobs.ErrNotFound
	}
	raw, err := json.Marshal(f.trees[id])
	if err != nil {
		return nil, err
	}
	var tree jobs.Tree
	return &tree, json.Unmarshal(raw, &tree)
}

func (f *fakeJobs) Log(_ context.Context, job, after string) ([]pacemaker.JobLine, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []pacemaker.JobLine
	for _, l := range f.logs[job] {
		if less(after, l.Cursor) {
			out = append(out, l)
		}
	}
	return out, nil
}

func (f *fakeJobs) Watch(ctx context.Context) <-chan pacemaker.JobEvent {
	events := make(chan pacemaker.JobEvent)
	go func() { // ends with ctx
		defer close(events)
		for {
			f.mu.Lock()
			bell := f.bell
			f.mu.Unlock()
			select {
			case <-ctx.Done():
				return
			case <-bell:
			}
			select {
			case <-ctx.Done():
				return
			case events <- pacemaker.JobEvent{}:
			}
		}
	}()
	return events
}
