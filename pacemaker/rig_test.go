package pacemaker

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	testrig "aorta/pacemaker/internal/rig"
)

func TestMain(m *testing.M) { testrig.Main(m) }

// rig is a pacemaker over a real store, whose loops the test turns by hand.
type rig struct {
	*Pacemaker
	*testrig.Rig
	shelf   *testrig.Shelf
	reports uint64       // that nodes have sent
	load    cluster.Load // in each report
}

func newRig(tb testing.TB) *rig {
	tb.Helper()
	r := &rig{Rig: testrig.New(tb), shelf: &testrig.Shelf{}}
	r.Pacemaker = New(Config{
		Domain: "test.local", RouterURL: "http://%s", ReposDir: r.Dir, SourcesDir: filepath.Join(r.Dir, "sources"),
		DrainLimit: 30 * time.Second, RouterSilence: 5 * time.Second, DeadAfter: 15 * time.Second, ReportEvery: 2 * time.Second, Now: r.Clock.Now, Log: r.Log,
	}, Parts{Store: r.Rig.Store, Jobs: r.Jobs, Table: r.Table, Gate: r.Gate, Registry: r.shelf}, cluster.NewID(), testrig.Epoch)
	return r
}

// newNode makes a node that was heard, with an address.
func (r *rig) newNode(name string, roles ...cluster.Role) cluster.Node {
	r.TB.Helper()
	n := r.Node(name, roles...)
	testkit.Must(r.TB, r.Nodes.Hello(context.Background(), n, cluster.Hello{Session: "session-" + name, Hostname: "host-" + name, Pid: 42, Roles: roles, Address: n.Address}))
	return n
}

// report has a node say that it is there, and how some instances are.
func (r *rig) report(n cluster.Node, list ...cluster.InstanceStatus) {
	r.TB.Helper()
	r.reports++
	_, err := r.Nodes.Report(context.Background(), n, cluster.Report{Session: "session-" + n.Name, Counter: r.reports, Epoch: testrig.Epoch, Address: n.Address, Load: r.load, Instances: list})
	testkit.Must(r.TB, err)
}

// Lose has a node report that an instance ended with an error.
func (r *rig) Lose(n cluster.Node, id cluster.ID) {
	r.TB.Helper()
	r.report(n, cluster.InstanceStatus{ID: id, State: cluster.InstanceFailed, Gone: true, Error: "it exited with 1"})
}

// repoOf is an app's repository, made for the test to commit in.
func (r *rig) repoOf(app cluster.App) testrig.Repo {
	r.TB.Helper()
	repo, err := r.Sources.InitRepo(r.TB.Context(), app)
	testkit.Must(r.TB, err)
	return testrig.NewRepo(r.TB, repo)
}
