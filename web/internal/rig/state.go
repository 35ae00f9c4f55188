package rig

import (
	"crypto/ecdsa"
	"crypto/tls"

	"aorta/internal/pki"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// Serve brings a release of an app to a node, where one instance runs.
func (r *Rig) Serve(app cluster.App, node cluster.Node) cluster.ID {
	r.TB.Helper()
	id := cluster.NewID()
	r.deploy(app, func(release cluster.Release) {
		testkit.Must(r.TB, r.Store.Assign(r.TB.Context(), []store.Assignment{{ID: id, App: app.ID, Release: release.ID, Type: "web", Node: node.ID, NeedsPort: true}}))
		r.Report(node, cluster.InstanceStatus{ID: id, State: cluster.InstanceRunning})
	})
	return id
}

// Report enters what a node says of an instance.
func (r *Rig) Report(node cluster.Node, status cluster.InstanceStatus) {
	r.TB.Helper()
	_, _, err := r.Store.ApplyReport(r.TB.Context(), node.ID, []cluster.InstanceStatus{status})
	testkit.Must(r.TB, err)
}

// NewNode makes a node, with the name by which Ask shows its certificate.
func (r *Rig) NewNode(name string, roles ...cluster.Role) (cluster.Node, string) {
	r.TB.Helper()
	n := cluster.Node{ID: cluster.NewID(), Name: name, Roles: roles}
	key, err := pki.NewKey()
	testkit.Must(r.TB, err)
	n.KeyHash, err = pki.KeyHash(key.Public())
	testkit.Must(r.TB, err)
	testkit.Must(r.TB, r.Store.CreateNode(r.TB.Context(), n, "admin"))
	text, err := r.Authority.Node(string(n.ID), key.Public())
	testkit.Must(r.TB, err)
	r.Show(string(n.ID), text, key)
	n, err = r.Store.Node(r.TB.Context(), n.ID)
	testkit.Must(r.TB, err)
	return n, string(n.ID)
}

// Show lets Ask show a certificate, in PEM, by a name in place of a token.
func (r *Rig) Show(name string, certificate []byte, key *ecdsa.PrivateKey) {
	r.TB.Helper()
	cert, err := pki.ParseCertificate(certificate)
	testkit.Must(r.TB, err)
	r.certs[name] = tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}
}

// App makes one.
func (r *Rig) App(name string) cluster.App {
	r.TB.Helper()
	app, err := r.Pace.CreateApp(r.TB.Context(), name, "admin")
	testkit.Must(r.TB, err)
	return app
}

// Building gives an app a build that a builder may take.
func (r *Rig) Building(app cluster.App) cluster.ID {
	r.TB.Helper()
	_, err := r.Pace.DeployImage(r.TB.Context(), app, "img:1", "", "admin")
	testkit.Must(r.TB, err)
	builds, err := r.Store.OpenBuilds(r.TB.Context())
	testkit.Must(r.TB, err)
	return builds[len(builds)-1]
}

// NewRelease gives an app a release that all its traffic is for, and no instance.
func (r *Rig) NewRelease(app cluster.App) cluster.Release {
	r.TB.Helper()
	return r.deploy(app, func(cluster.Release) {})
}

// deploy gives an app a release as a deploy does: start is called while the
// operation is open, so that nobody finds instances missing before.
func (r *Rig) deploy(app cluster.App, start func(cluster.Release)) cluster.Release {
	r.TB.Helper()
	ctx := r.TB.Context()
	op, err := r.Pace.DeployImage(ctx, app, "img:1", "", "admin")
	testkit.Must(r.TB, err)
	builds, err := r.Store.OpenBuilds(ctx)
	testkit.Must(r.TB, err)
	id := builds[len(builds)-1]
	web := []cluster.ProcessType{{Name: "web"}}
	testkit.Must(r.TB, r.Store.EndBuild(ctx, id, cluster.BuildResult{State: cluster.BuildReady, Image: cluster.Image{ID: "sha256:1"}, Processes: web}))
	build, err := r.Store.Build(ctx, id)
	testkit.Must(r.TB, err)
	release, err := r.Store.CreateRelease(ctx, store.NewRelease{Operation: op, Build: build, Cause: "deploy"})
	testkit.Must(r.TB, err)
	testkit.Must(r.TB, r.Store.Promote(ctx, store.Promotion{App: app.ID, Release: release.ID}))
	start(release)
	testkit.Must(r.TB, r.Store.EndOperation(ctx, store.Ending{ID: op.ID, State: cluster.OperationSucceeded, Tree: []byte("{}"), Log: []byte("[]")}))
	return release
}
