package pacemaker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aorta/internal/seal"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
	"aorta/router"
)

func TestMain(m *testing.M) {
	// gorm's cache of prepared statements has no end.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("gorm.io/gorm/internal/lru.NewLRU[...].func1"))
}

// testEpoch is the epoch of every rig.
const testEpoch = 7

// testBegin is when every rig's clock begins.
var testBegin = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// rig is a pacemaker over a real store, whose loops the test turns by hand.
type rig struct {
	*Pacemaker
	tb    testing.TB
	clock *clock
	table *fakeTable
	gate  *fakeGate
	trees *fakeJobs
}

func newRig(tb testing.TB) *rig {
	tb.Helper()
	dir := tb.TempDir()
	r := &rig{tb: tb, clock: &clock{at: testBegin}, gate: &fakeGate{run: "run1"}, trees: newFakeJobs()}
	r.table = &fakeTable{calls: &r.gate.calls}
	sealer, err := seal.Open(filepath.Join(dir, "key"), true)
	must(tb, err)
	log := slog.New(slog.DiscardHandler)
	seed(tb, dir)
	s, err := store.Open(context.Background(), store.Config{Dir: dir, Sealer: sealer, Log: log, Now: r.clock.now})
	must(tb, err)
	tb.Cleanup(func() { _ = s.Close() })
	r.Pacemaker = New(Config{
		Domain: "test.local", RouterURL: "http://%s", ReposDir: dir, SourcesDir: filepath.Join(dir, "sources"),
		DrainLimit: 30 * time.Second, RouterSilence: 5 * time.Second, DeadAfter: 15 * time.Second, Now: r.clock.now, Log: log,
	}, Parts{Store: s, Jobs: r.trees, Table: r.table, Gate: r.gate}, cluster.NewID(), testEpoch)
	return r
}

// template is a database with its schema and the first admin, made once:
// migrating takes longer than most tests.
var template = sync.OnceValues(func() (raw []byte, err error) {
	dir, err := os.MkdirTemp("", "template")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ctx := context.Background() // of no one test
	s, err := store.Open(ctx, store.Config{Dir: dir, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return testBegin }})
	if err != nil {
		return nil, err
	}
	_, err = s.Bootstrap(ctx, "admin", "token")
	if err = errors.Join(err, s.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, "aorta.db"))
})

// seed puts a copy of the template into a directory.
func seed(tb testing.TB, dir string) {
	tb.Helper()
	raw, err := template()
	must(tb, err)
	must(tb, os.WriteFile(filepath.Join(dir, "aorta.db"), raw, 0o600))
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// newApp makes an app.
func (r *rig) newApp(name string) cluster.App {
	r.tb.Helper()
	app, err := r.CreateApp(context.Background(), name, "admin")
	must(r.tb, err)
	return app
}

// newNode makes a node that was heard, with an address.
func (r *rig) newNode(name string, roles ...cluster.Role) cluster.Node {
	r.tb.Helper()
	ctx := context.Background()
	n, _, err := r.CreateNode(ctx, name, roles, "admin")
	must(r.tb, err)
	must(r.tb, r.Hello(ctx, n, helloOf(n, "host-"+name, "session-"+name)))
	n, err = r.store.Node(ctx, n.ID)
	must(r.tb, err)
	return n
}

func helloOf(n cluster.Node, host, session string) cluster.Hello {
	return cluster.Hello{Session: session, Hostname: host, Pid: 42, Roles: n.Roles, Address: "10.77.0.3"}
}

// deploy brings an app to a release with these process types, without jobs.
func (r *rig) deploy(app cluster.App, types ...cluster.ProcessType) cluster.Release {
	r.tb.Helper()
	ctx := context.Background()
	op, err := r.DeployImage(ctx, app, "img:1", "", "admin")
	must(r.tb, err)
	args, err := argsOf(op)
	must(r.tb, err)
	if len(types) == 0 {
		types = []cluster.ProcessType{{Name: "web"}}
	}
	must(r.tb, r.store.EndBuild(ctx, args.Build, cluster.BuildResult{State: cluster.BuildReady, Image: cluster.Image{ID: "sha256:1"}, Processes: types}))
	build, err := r.store.Build(ctx, args.Build)
	must(r.tb, err)
	release, err := r.store.CreateRelease(ctx, store.NewRelease{Operation: op, Build: build, Cause: "deploy"})
	must(r.tb, err)
	must(r.tb, r.store.Promote(ctx, store.Promotion{App: app.ID, Release: release.ID}))
	r.end(op.ID)
	return release
}

// end ends an operation, and its tree with it.
func (r *rig) end(id cluster.ID) {
	r.tb.Helper()
	must(r.tb, r.store.EndOperation(context.Background(), store.Ending{ID: id, State: cluster.OperationSucceeded, Tree: []byte("{}"), Log: []byte("[]")}))
	r.trees.drop(string(id))
}

// instance puts an instance of a release on a node, running there.
func (r *rig) instance(release cluster.Release, typ string, n cluster.Node) cluster.ID {
	r.tb.Helper()
	ctx := context.Background()
	id := cluster.NewID()
	must(r.tb, r.store.Assign(ctx, []store.Assignment{{ID: id, App: release.AppID, Release: release.ID, Type: typ, Node: n.ID, NeedsPort: typ == "web"}}))
	_, _, err := r.store.ApplyReport(ctx, n.ID, []cluster.InstanceStatus{{ID: id, State: cluster.InstanceRunning}})
	must(r.tb, err)
	return id
}

// lose ends an instance with an error, its container gone.
func (r *rig) lose(n cluster.Node, id cluster.ID) {
	r.tb.Helper()
	_, _, err := r.store.ApplyReport(context.Background(), n.ID, []cluster.InstanceStatus{{ID: id, State: cluster.InstanceFailed, Gone: true, Error: "it exited with 1"}})
	must(r.tb, err)
}

// clock is the time as the test sets it.
type clock struct {
	mu sync.Mutex // guards at
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// calls is what table and gate were asked, in order.
type calls struct {
	mu   sync.Mutex // guards list
	list []string
}

func (c *calls) add(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, fmt.Sprintf(format, args...))
}

// take gives the calls since the last take.
func (c *calls) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.list
	c.list = nil
	return list
}

// fakeGate is the master of one run.
type fakeGate struct {
	calls calls
	run   string
	err   error // of OpenGate
}

func (g *fakeGate) RunID(context.Context) (string, error) { return g.run, nil }

func (g *fakeGate) OpenGate(_ context.Context, run string) error {
	g.calls.add("open %s", run)
	return g.err
}

// fakeTable is a routing table that fails when it is told to.
type fakeTable struct {
	calls *calls
	err   error // of the next write
	held  router.Table
	pair  router.Pair
}

func (f *fakeTable) fail() error {
	err := f.err
	if err != router.ErrFenced {
		f.err = nil
	}
	return err
}

func (f *fakeTable) Claim(_ context.Context, epoch uint64) error {
	f.calls.add("claim %d", epoch)
	return f.fail()
}

func (f *fakeTable) Publish(_ context.Context, pair router.Pair, changed []router.Record, removed []string) error {
	f.calls.add("publish +%d -%d", len(changed), len(removed))
	if !f.pair.Less(pair) {
		return fmt.Errorf("%s does not rise above %s", pair, f.pair)
	}
	if err := f.fail(); err != nil {
		return err
	}
	f.pair = pair
	for _, rec := range changed {
		f.held[rec.Host] = rec
	}
	for _, host := range removed {
		delete(f.held, host)
	}
	return nil
}

func (f *fakeTable) Load(context.Context) (router.Table, router.Pair, error) {
	return f.held, f.pair, nil
}

func (f *fakeTable) Replace(_ context.Context, pair router.Pair, table router.Table) error {
	f.calls.add("replace %d", len(table))
	if !f.pair.Less(pair) {
		return fmt.Errorf("%s does not rise above %s", pair, f.pair)
	}
	if err := f.fail(); err != nil {
		return err
	}
	f.pair, f.held = pair, router.Table{}
	for host, rec := range table {
		f.held[host] = rec
	}
	return nil
}

func (f *fakeTable) DropTombstones(context.Context, time.Time) error { return nil }

// fakeJobs keeps the trees that it is given and runs nothing.
type fakeJobs struct {
	mu    sync.Mutex // guards all below
	trees map[string]*jobs.Tree
	added []string // roots, in order
	err   error    // of Tree
	asked int      // for a tree
}

func newFakeJobs() *fakeJobs { return &fakeJobs{trees: map[string]*jobs.Tree{}} }

func (f *fakeJobs) Add(_ context.Context, root jobs.Spec, operation string) error {
	tree, err := jobs.New(root, operation, time.Now())
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.trees[root.ID], f.added = tree, append(f.added, root.ID)
	return nil
}

func (f *fakeJobs) drop(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.trees, id)
}

// take gives the roots that were added since the last take.
func (f *fakeJobs) take() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := f.added
	f.added = nil
	return list
}

func (f *fakeJobs) Abort(context.Context, string, string) error { return jobs.ErrNotFound }

func (f *fakeJobs) Tree(_ context.Context, id string) (*jobs.Tree, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	if f.err != nil {
		return nil, f.err
	}
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

func (f *fakeJobs) Log(context.Context, string, string) ([]JobLine, error) { return nil, nil }

func (f *fakeJobs) Watch(ctx context.Context) <-chan JobEvent {
	events := make(chan JobEvent)
	go func() { // ends with ctx
		<-ctx.Done()
		close(events)
	}()
	return events
}
