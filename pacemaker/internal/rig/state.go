package rig

import (
	"context"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// App makes an app.
func (r *Rig) App(name string) cluster.App {
	r.TB.Helper()
	app, err := r.Store.CreateApp(context.Background(), name, name+".test.local", "admin")
	testkit.Must(r.TB, err)
	return app
}

// Node makes a node with an address, which has no session.
func (r *Rig) Node(name string, roles ...cluster.Role) cluster.Node {
	r.TB.Helper()
	ctx := context.Background()
	id := cluster.NewID()
	n := cluster.Node{ID: id, Name: name, Roles: roles, KeyHash: "key of " + string(id)}
	testkit.Must(r.TB, r.Store.CreateNode(ctx, n, "admin"))
	testkit.Must(r.TB, r.Store.UpdateNode(ctx, n, cluster.Node{Roles: roles, Address: "10.77.0.3"}))
	testkit.Must(r.TB, r.Store.ShowAddresses(ctx, n.ID, []string{"10.77.0.3"}))
	n, err := r.Store.Node(ctx, n.ID)
	testkit.Must(r.TB, err)
	return n
}

// Begin writes an operation of an app down.
func (r *Rig) Begin(app cluster.App, kind cluster.OperationKind, req cluster.Request, parts ...store.Part) cluster.Operation {
	r.TB.Helper()
	op := cluster.Operation{ID: cluster.NewID(), Kind: kind, AppID: app.ID, Title: string(kind) + " " + app.Name, User: "admin", Args: req.Encode()}
	testkit.Must(r.TB, r.Store.Begin(context.Background(), op, parts...))
	return op
}

// BeginDeploy writes the deploy of an image down.
func (r *Rig) BeginDeploy(app cluster.App, image string) cluster.Operation {
	r.TB.Helper()
	build := cluster.NewID()
	return r.Begin(app, cluster.OpDeploy, cluster.Request{Build: build, Cause: "deploy"}, store.WithBuild(build, cluster.SourceImage, image))
}

// Deploy brings an app to a release with these process types, without jobs.
func (r *Rig) Deploy(app cluster.App, types ...cluster.ProcessType) cluster.Release {
	r.TB.Helper()
	return r.Release(app, r.BeginDeploy(app, "img:1"), types...)
}

// Release brings an app to the release of a deploy, without jobs.
func (r *Rig) Release(app cluster.App, op cluster.Operation, types ...cluster.ProcessType) cluster.Release {
	r.TB.Helper()
	ctx := context.Background()
	req, err := op.Request()
	testkit.Must(r.TB, err)
	if len(types) == 0 {
		types = []cluster.ProcessType{{Name: "web"}}
	}
	testkit.Must(r.TB, r.Store.EndBuild(ctx, req.Build, cluster.BuildResult{State: cluster.BuildReady, Image: cluster.Image{ID: "sha256:1"}, Processes: types}))
	build, err := r.Store.Build(ctx, req.Build)
	testkit.Must(r.TB, err)
	release, err := r.Store.CreateRelease(ctx, store.NewRelease{Operation: op, Build: build, Cause: "deploy"})
	testkit.Must(r.TB, err)
	testkit.Must(r.TB, r.Store.Promote(ctx, store.Promotion{App: app.ID, Release: release.ID}))
	r.End(op.ID)
	return release
}

// End ends an operation well, and its tree with it.
func (r *Rig) End(id cluster.ID) {
	r.TB.Helper()
	r.end(store.Ending{ID: id, State: cluster.OperationSucceeded})
}

// Fail ends an operation with an error, and its tree with it.
func (r *Rig) Fail(id cluster.ID, cause string) {
	r.TB.Helper()
	r.end(store.Ending{ID: id, State: cluster.OperationFailed, Error: cause})
}

func (r *Rig) end(e store.Ending) {
	r.TB.Helper()
	e.Tree, e.Log = []byte("{}"), []byte("[]")
	testkit.Must(r.TB, r.Store.EndOperation(context.Background(), e))
	r.Jobs.Drop(string(e.ID))
}

// Instance puts an instance of a release on a node, running there, by an
// operation of its own.
func (r *Rig) Instance(release cluster.Release, typ string, n cluster.Node) cluster.ID {
	r.TB.Helper()
	return r.InstanceBy(cluster.NewID(), release, typ, n)
}

// InstanceBy is Instance by an operation that may make several.
func (r *Rig) InstanceBy(op cluster.ID, release cluster.Release, typ string, n cluster.Node) cluster.ID {
	r.TB.Helper()
	id := cluster.NewID()
	testkit.Must(r.TB, r.Store.Assign(context.Background(), []store.Assignment{{ID: id, Operation: op, App: release.AppID, Release: release.ID, Type: typ, Node: n.ID, NeedsPort: typ == "web"}}))
	r.Reported(n, cluster.InstanceStatus{ID: id, State: cluster.InstanceRunning})
	return id
}

// Lose ends an instance with an error, its container gone.
func (r *Rig) Lose(n cluster.Node, id cluster.ID) {
	r.TB.Helper()
	r.Reported(n, cluster.InstanceStatus{ID: id, State: cluster.InstanceFailed, Gone: true, Error: "it exited with 1"})
}

// Reported writes down what a node says of its instances.
func (r *Rig) Reported(n cluster.Node, list ...cluster.InstanceStatus) {
	r.TB.Helper()
	_, _, err := r.Store.ApplyReport(context.Background(), n.ID, list)
	testkit.Must(r.TB, err)
}
