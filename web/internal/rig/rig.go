package rig

import (
	"bytes"
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"go.uber.org/goleak"

	"aorta/internal/pki"
	"aorta/internal/seal"
	"aorta/internal/testkit"
	"aorta/pacemaker"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/logstore"
	"aorta/pacemaker/store"
	"aorta/router"
	"aorta/web/api"
	"aorta/web/live"
	"aorta/web/nodeapi"
	"aorta/web/rest"
	"aorta/web/wire"
)

// The tokens of the rig's users.
const (
	AdminToken     = "token-of-admin"
	DeveloperToken = "token-of-developer"
	ViewerToken    = "token-of-viewer"
)

// Rig is the API for people and the nodes' API over a real store and a real
// pacemaker.
type Rig struct {
	TB        testing.TB
	Dir       string
	Store     *store.Store
	Pace      *pacemaker.Pacemaker
	Jobs      *FakeJobs
	Logs      *logstore.Store
	Numbers   *Numbers
	Authority *pki.Authority
	API       *rest.API
	NodesAPI  *rest.API
	URL       string
	NodesURL  string
	Pushed    Pushed // what lies in the registry; set before the rig is asked
	Log       *SyncBuffer
	log       *slog.Logger
	certs     map[string]tls.Certificate // see Show

	beforeFollow atomic.Pointer[func()]
}

// Main runs a package's tests and checks that they leave no goroutine behind.
func Main(m *testing.M) {
	testkit.Parallel(6)
	// gorm's cache of prepared statements has no end.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("gorm.io/gorm/internal/lru.NewLRU[...].func1"))
}

// New starts a rig, which ends with the test.
func New(tb testing.TB) *Rig {
	tb.Helper()
	r := &Rig{TB: tb, Dir: tb.TempDir(), Jobs: newFakeJobs(), Log: &SyncBuffer{}, certs: map[string]tls.Certificate{}, Numbers: &Numbers{Recents: map[string]live.Recent{}}}
	r.log = slog.New(slog.NewTextHandler(r.Log, nil))
	r.openStores()
	id, err := r.Store.Cluster(tb.Context())
	testkit.Must(tb, err)
	r.Authority, err = pki.Open(filepath.Join(r.Dir, "pki"), true)
	testkit.Must(tb, err)
	r.Pace = pacemaker.New(pacemaker.Config{
		Domain: "test.local", RouterURL: "http://%s", ReposDir: filepath.Join(r.Dir, "repos"), SourcesDir: filepath.Join(r.Dir, "sources"),
		DrainLimit: time.Second, RouterSilence: time.Second, DeadAfter: time.Hour, Log: r.log,
	}, pacemaker.Parts{Store: r.Store, Authority: r.Authority, Jobs: r.Jobs, Table: noTable{}, Gate: openGate{}, Registry: &r.Pushed}, id, 7)
	r.background(r.Pace.Run)
	people, nodes := chi.NewRouter(), chi.NewRouter()
	streams := live.New(r.LiveConfig())
	r.background(streams.Run)
	r.API = r.Mount(people, streams)
	r.NodesAPI = nodeapi.Mount(nodes, nodeapi.Config{
		Pacemaker: r.Pace, Logs: r.Logs, Authority: r.Authority, Version: "test", Log: r.log,
		Registry: func(string) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
		},
		Welcome: func(n cluster.Node) (cluster.Welcome, error) { return cluster.Welcome{NodeID: n.ID}, nil },
	})
	r.URL, r.NodesURL = r.listen(people, nil), r.listen(nodes, &tls.Config{ClientAuth: tls.RequestClientCert})
	return r
}

func (r *Rig) openStores() {
	r.TB.Helper()
	sealer, err := seal.Open(filepath.Join(r.Dir, "config.key"), true)
	testkit.Must(r.TB, err)
	seed(r.TB, r.Dir)
	r.Store, err = store.Open(r.TB.Context(), store.Config{Dir: r.Dir, Sealer: sealer, Log: r.log})
	testkit.Must(r.TB, err)
	r.Logs, err = logstore.Open(filepath.Join(r.Dir, "logs"), logstore.Config{}, r.log)
	testkit.Must(r.TB, err)
	r.TB.Cleanup(func() {
		_ = r.Logs.Close()
		_ = r.Store.Close()
	})
}

// Print adds a line to an app's log, as of a new instance.
func (r *Rig) Print(app cluster.ID, kind, text string) {
	r.TB.Helper()
	_, err := r.Logs.Append(r.TB.Context(), []cluster.LogPart{{
		App: app, Instance: cluster.NewID(), Type: kind, To: "1", Lines: []cluster.LogText{{Time: time.Now(), Text: text}},
	}})
	testkit.Must(r.TB, err)
}

// LiveConfig is what the rig's live streams are made of.
func (r *Rig) LiveConfig() live.Config {
	return live.Config{Pacemaker: r.Pace, Recents: r.Numbers, Logs: followed{r}, Version: "test", Log: r.log}
}

// Mount puts the API for people on a router, with these streams.
func (r *Rig) Mount(router chi.Router, streams *live.Streams) *rest.API {
	return api.Mount(router, api.Config{
		Pacemaker: r.Pace, Stats: noStats{}, Series: r.Numbers, Live: streams, Logs: r.Logs, Version: "test", Log: r.log,
	})
}

// background runs a loop until the test ends.
func (r *Rig) background(run func(context.Context) error) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }() // ended below
	r.TB.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			r.TB.Errorf("a loop ended with %v", err)
		}
	})
}

// listen serves a handler until the test ends, and gives its address.
func (r *Rig) listen(h http.Handler, trust *tls.Config) string {
	server := httptest.NewUnstartedServer(h)
	if server.TLS = trust; trust != nil {
		server.StartTLS()
	} else {
		server.Start()
	}
	r.TB.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
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
	_, err = s.Bootstrap(ctx, "admin", AdminToken)
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
		store.HashToken(DeveloperToken), store.HashToken(ViewerToken), store.HashToken("revoked"), store.HashToken("expired"))
}

// seed puts a copy of the template into a directory.
func seed(tb testing.TB, dir string) {
	tb.Helper()
	raw, err := template()
	testkit.Must(tb, err)
	testkit.Must(tb, os.WriteFile(filepath.Join(dir, "aorta.db"), raw, 0o600))
}

// Exec changes the database behind the store.
func (r *Rig) Exec(query string, args ...any) {
	r.TB.Helper()
	testkit.Must(r.TB, execute(filepath.Join(r.Dir, "aorta.db"), query, args...))
}

func execute(path, query string, args ...any) error {
	db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		return err
	}
	_, err = db.Exec(query, args...)
	return errors.Join(err, db.Close())
}

// Grep says whether any file of the rig holds the text.
func (r *Rig) Grep(text string) bool {
	found := false
	err := filepath.WalkDir(r.Dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			raw, _ := os.ReadFile(path)
			found = found || bytes.Contains(raw, []byte(text))
		}
		return nil
	})
	testkit.Must(r.TB, err)
	return found
}

// SyncBuffer is a log that many write to.
type SyncBuffer struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (b *SyncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *SyncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

type noStats struct{}

func (noStats) App(context.Context, string, string, time.Duration) (wire.Stats, error) {
	return wire.Stats{Status: map[string]int64{}, Window: wire.StatsWindow{Status: map[string]int64{}}}, nil
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
