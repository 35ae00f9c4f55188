package overview

import (
	"slices"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

func TestStatus_NamesWhatNeedsAttentionAndTheNextStep(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	node := r.joined("n1", cluster.RoleHeart)
	app := r.App("shop")
	release := r.Deploy(app)
	id := r.Instance(release, "web", node)
	r.Instance(release, "web", node)
	r.Reported(node, cluster.InstanceStatus{ID: id, State: cluster.InstanceRunning, Crashing: true, Error: "its container is paused"})
	op := r.BeginDeploy(app, "img:2")
	r.Fail(op.ID, "no such image")

	s, err := r.overview.Status(t.Context())

	testkit.Must(t, err)
	for _, want := range []string{"is crashing: its container is paused (see aorta logs -a shop -i " + id.Short() + ").", "no such image (see aorta jobs show " + op.ID.Short()} {
		if !slices.ContainsFunc(s.Reasons, func(r string) bool { return strings.Contains(r, want) }) {
			t.Errorf("got the reasons %q, want one with %q", s.Reasons, want)
		}
	}
	if s.Nodes != 1 || s.Apps != 1 || s.Instances != 2 || s.Severity != SeverityWarn || s.Critical != 0 {
		t.Errorf("got %+v, want one node, one app, two instances, of which one runs", s)
	}
}

// A router or a builder needs no address: it is missed all the same.
func TestStatus_MissesNodesWithoutAHeart(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	hello := func(name string, roles ...cluster.Role) {
		t.Helper()
		n := cluster.Node{ID: cluster.NewID(), Name: name, Roles: roles, KeyHash: name}
		testkit.Must(t, r.Store.CreateNode(t.Context(), n, "admin"))
		testkit.Must(t, r.nodes.Hello(t.Context(), n, cluster.Hello{Session: "session-" + name, Hostname: "host-" + name, Roles: roles}))
	}
	hello("edge", cluster.RoleRouter)
	hello("forge", cluster.RoleBuilder)
	r.Clock.Forward(16 * time.Second)

	s, err := r.overview.Status(t.Context())

	testkit.Must(t, err)
	var about []string
	if len(s.Reasons) != 2 {
		t.Errorf("got the reasons %q, want one a node", s.Reasons)
	}
	if s.Critical != 1 {
		t.Errorf("got %d critical, want the router alone", s.Critical)
	}
	for _, name := range []string{"Node edge is silent, its router too", "Node forge is silent"} {
		if slices.ContainsFunc(s.Reasons, func(r string) bool { return strings.Contains(strings.ToLower(r), strings.ToLower(name)) }) {
			about = append(about, name)
		}
	}
	if !slices.Equal(about, []string{"Node edge is silent, its router too", "Node forge is silent"}) || s.NodesReady != 0 {
		t.Errorf("got %d nodes ready and the reasons %q, want edge with its router, and forge named", s.NodesReady, s.Reasons)
	}
}

func TestStatus_NamesWhoTakesTheRouterFromTheOthers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	node := r.joined("edge", cluster.RoleRouter)
	testkit.Must(t, r.routers.Reported(node, cluster.RouterReport{
		Epoch: 1, Age: 75 * time.Second, Stuck: []int{4711}, Connections: 1600, Free: 99, Limits: []cluster.RouterLimit{
			{Kind: "app", Name: "slow", Held: 800, Refused: 7}, {Kind: "client", Name: "203.0.113.9", Held: 700, Refused: 3},
		},
	}))

	s, err := r.overview.Status(t.Context())

	testkit.Must(t, err)
	for _, want := range []string{
		"The router on edge has heard of no change of routes for 1m15s",
		"Worker 4711 of the router on edge does not follow the routing table",
		"The router on edge has 99 of 1600 connections left",
		"slow has as many requests in flight as the router on edge has room for (800 connections), and 7 were refused",
		"Client 203.0.113.9 has as many connections as the router on edge has room for (700), and 3 more were refused",
	} {
		if !slices.ContainsFunc(s.Reasons, func(r string) bool { return strings.Contains(r, want) }) {
			t.Errorf("got the reasons %q, want one with %q", s.Reasons, want)
		}
	}
}

// A link between two nodes that both report is broken: nobody but the router there can
// tell. What is silent is told of by itself.
func TestStatus_NamesWhichNodesARouterDoesNotReach(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	edge, far := r.joined("edge", cluster.RoleRouter), r.Node("far", cluster.RoleHeart)
	testkit.Must(t, r.Store.UpdateNode(t.Context(), far, cluster.Node{Roles: far.Roles, Address: "10.77.0.9"}))
	far, err := r.Store.NodeByName(t.Context(), "far")
	testkit.Must(t, err)
	r.hears(far)
	testkit.Must(t, r.routers.Reported(edge, cluster.RouterReport{Epoch: 1, Lost: []string{"10.77.0.9", "10.77.0.77"}}))
	const want = "The router on edge does not reach node far at 10.77.0.9"
	told := func() bool {
		s, err := r.overview.Status(t.Context())
		testkit.Must(t, err)
		return slices.ContainsFunc(s.Reasons, func(reason string) bool { return strings.Contains(reason, want) })
	}

	if !told() {
		t.Errorf("while far is heard: want a reason with %q", want)
	}
	r.Clock.Forward(time.Minute)
	r.hears(edge)
	testkit.Must(t, r.routers.Reported(edge, cluster.RouterReport{Epoch: 1, Lost: []string{"10.77.0.9"}}))
	if told() {
		t.Errorf("while far is silent: got a reason with %q", want)
	}
}
