package nodes

import (
	"context"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/internal/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

// fixture is the nodes over a real store.
type fixture struct {
	*rig.Rig
	nodes   *Nodes
	routed  routes
	routers routers
}

// routers are the times at which nodes' routers reported last.
type routers map[cluster.ID]time.Time

// HeardAt is part of Routers.
func (r routers) HeardAt(id cluster.ID) (time.Time, bool) {
	at, ok := r[id]
	return at, ok
}

// routes are the instances that routers send requests to.
type routes map[cluster.ID]bool

// Routed is part of Routes.
func (r routes) Routed(id cluster.ID, _ []cluster.Node) bool { return r[id] }

func newRig(tb testing.TB) *fixture {
	tb.Helper()
	r := &fixture{Rig: rig.New(tb), routed: routes{}, routers: routers{}}
	r.nodes = New(Config{
		Store: r.Store, Routes: r.routed, Routers: r.routers, Epoch: rig.Epoch, DeadAfter: 15 * time.Second, DrainLimit: 30 * time.Second,
		Started: r.Clock.Now(), Changed: func(...cluster.ID) {}, Now: r.Clock.Now, Log: r.Log,
	})
	return r
}

// joined makes a node that has said hello.
func (r *fixture) joined(name string, roles ...cluster.Role) cluster.Node {
	r.TB.Helper()
	n := r.Node(name, roles...)
	testkit.Must(r.TB, r.nodes.Hello(context.Background(), n, helloOf(n, "host-"+name, "session-"+name)))
	return n
}

func helloOf(n cluster.Node, host, session string) cluster.Hello {
	return cluster.Hello{Session: session, Hostname: host, Place: host, Pid: 42, Roles: n.Roles, Address: "10.77.0.3"}
}
