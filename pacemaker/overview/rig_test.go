package overview

import (
	"context"
	"testing"
	"time"

	"aorta/internal/broadcast"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/internal/rig"
	"aorta/pacemaker/nodes"
	"aorta/pacemaker/routing"
)

func TestMain(m *testing.M) { rig.Main(m) }

// fixture is an overview of a real store, real nodes and real routers.
type fixture struct {
	*rig.Rig
	nodes    *nodes.Nodes
	routers  *routing.Routers
	overview *Overview
	noRoom   []NoRoom
	answers  map[cluster.ID]Answers // by release
}

func (r *fixture) answersOf(_ context.Context, serving map[cluster.ID]cluster.ID) map[cluster.ID]Answers {
	out := map[cluster.ID]Answers{}
	for app, release := range serving {
		out[app] = r.answers[release]
	}
	return out
}

func newRig(tb testing.TB) *fixture {
	tb.Helper()
	r := &fixture{Rig: rig.New(tb)}
	started := r.Clock.Now()
	routes := routing.Config{
		Store: r.Store, Table: r.Table, Gate: r.Gate, Epoch: rig.Epoch, Silence: 5 * time.Second,
		Started: started, Changed: broadcast.New(), Now: r.Clock.Now, Log: r.Log,
	}
	r.routers = routing.NewRouters(routes)
	publisher := routing.NewPublisher(routes, r.routers)
	r.nodes = nodes.New(nodes.Config{
		Store: r.Store, Routes: publisher, Routers: r.routers, Epoch: rig.Epoch, DeadAfter: 15 * time.Second, DrainLimit: 30 * time.Second,
		Started: started, Changed: func(...cluster.ID) {}, Now: r.Clock.Now, Log: r.Log,
	})
	r.overview = New(Config{Store: r.Store, Nodes: r.nodes, Routers: r.routers, Publisher: publisher, NoRoom: func(cluster.ID) []NoRoom { return r.noRoom }, NextTry: func(cluster.ID) time.Time { return time.Time{} }, Answers: r.answersOf, ReportEvery: 2 * time.Second, Started: started, Now: r.Clock.Now})
	return r
}

// joined makes a node that has said hello.
func (r *fixture) joined(name string, roles ...cluster.Role) cluster.Node {
	r.TB.Helper()
	n := r.Node(name, roles...)
	r.hears(n)
	return n
}

// hears lets a node say hello, now or once more.
func (r *fixture) hears(n cluster.Node) {
	r.TB.Helper()
	testkit.Must(r.TB, r.nodes.Hello(context.Background(), n, cluster.Hello{Session: "session-" + n.Name, Hostname: "host-" + n.Name, Pid: 42, Roles: n.Roles, Address: n.Address}))
}
