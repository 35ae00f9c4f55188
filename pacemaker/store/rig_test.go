package store

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"aorta/internal/seal"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// openStore opens a fresh database that is closed with the test.
func openStore(tb testing.TB) *Store {
	tb.Helper()
	return openStoreIn(tb, tb.TempDir())
}

func openStoreIn(tb testing.TB, dir string) *Store {
	tb.Helper()
	sealer, err := seal.Open(filepath.Join(dir, "key"), true)
	if err != nil {
		tb.Fatal(err)
	}
	seed(tb, dir)
	s, err := Open(context.Background(), Config{Dir: dir, Sealer: sealer, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
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
	s, err := Open(ctx, Config{Dir: dir, Log: slog.New(slog.DiscardHandler)})
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
	testkit.Must(tb, err)
	testkit.Must(tb, os.WriteFile(filepath.Join(dir, "aorta.db"), raw, 0o600))
}

// newApp makes an app with one deploy at work.
func newApp(tb testing.TB, s *Store, name string) (cluster.App, cluster.Operation) {
	tb.Helper()
	app, err := s.CreateApp(context.Background(), name, name+".test.local", "admin")
	testkit.Must(tb, err)
	return app, newDeploy(tb, s, app)
}

func newDeploy(tb testing.TB, s *Store, app cluster.App) cluster.Operation {
	tb.Helper()
	op := cluster.Operation{ID: cluster.NewID(), Kind: cluster.OpDeploy, AppID: app.ID, Title: "Deploy", User: "admin"}
	testkit.Must(tb, s.Begin(context.Background(), op, WithBuild(cluster.DeriveID(op.ID, "build", 0), cluster.SourceImage, "img:1")))
	return op
}

// newRelease brings a deploy to its release.
func newRelease(tb testing.TB, s *Store, op cluster.Operation) cluster.Release {
	tb.Helper()
	ctx := context.Background()
	id := cluster.DeriveID(op.ID, "build", 0)
	testkit.Must(tb, s.EndBuild(ctx, id, cluster.BuildResult{
		State: cluster.BuildReady, Image: cluster.Image{Ref: "img:1", ID: "sha256:1"}, Processes: []cluster.ProcessType{{Name: "web"}},
	}))
	build, err := s.Build(ctx, id)
	testkit.Must(tb, err)
	r, err := s.CreateRelease(ctx, NewRelease{Operation: op, Build: build, Cause: "deploy"})
	testkit.Must(tb, err)
	return r
}

// keyed is a node with a key of its own.
func keyed(n cluster.Node) cluster.Node {
	n.KeyHash = "key of " + string(n.ID)
	return n
}
