// Package rig gives the heart's tests a real Docker engine, an image with an
// app that can misbehave, and a clean engine afterwards. It is for tests only.
package rig

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"aorta/heart/docker"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// Host is the engine that tests use: $AORTA_TEST_DOCKER_HOST, $DOCKER_HOST or
// the system's own.
func Host() string {
	for _, h := range []string{os.Getenv("AORTA_TEST_DOCKER_HOST"), os.Getenv("DOCKER_HOST")} {
		if h != "" {
			return h
		}
	}
	return "unix:///var/run/docker.sock"
}

// Engine opens the engine for a cluster of its own. Every container, image and
// network of that cluster is removed at the end of the test.
func Engine(tb testing.TB) (*docker.Engine, cluster.ID) {
	tb.Helper()
	if testing.Short() {
		tb.Skip("needs a Docker engine, which a quick check does not ask for")
	}
	id := cluster.NewID()
	e := EngineAt(tb, Host(), id)
	if _, err := e.Info(tb.Context()); err != nil {
		tb.Fatalf("this test needs a Docker engine at %s (set AORTA_TEST_DOCKER_HOST to another): %v", Host(), err)
	}
	tb.Cleanup(func() { sweep(tb, e) })
	return e, id
}

// EngineAt opens an engine at an address of the test's choice.
func EngineAt(tb testing.TB, host string, id cluster.ID) *docker.Engine {
	tb.Helper()
	e, err := docker.Open(docker.Options{Host: host, Cluster: id})
	if err != nil {
		tb.Fatalf("open the engine at %s: %v", host, err)
	}
	tb.Cleanup(func() { _ = e.Close() })
	return e
}

func sweep(tb testing.TB, e *docker.Engine) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	list, err := e.List(ctx)
	if err != nil {
		tb.Errorf("list what the test left: %v", err)
	}
	for _, c := range list {
		if err := e.Remove(ctx, c.Instance); err != nil {
			tb.Errorf("remove container %s: %v", c.Instance, err)
		}
	}
	// An aborted build's container may live on for a moment.
	testkit.Eventually(tb, 20*time.Second, "the test's images to be removed", func() bool {
		images, err := e.Images(ctx)
		for _, i := range images {
			err = errors.Join(err, e.RemoveImage(ctx, i))
		}
		return err == nil
	})
	if err := e.RemoveNetwork(ctx); err != nil {
		tb.Errorf("remove the test's network: %v", err)
	}
}

// binary compiles the test app once per test process.
var binary = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "testapp")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "testapp")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, "aorta/heart/internal/rig/testapp")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, err
	}
	return os.ReadFile(out)
})

// Binary is the compiled test app, static.
func Binary(tb testing.TB) []byte {
	tb.Helper()
	b, err := binary()
	if err != nil {
		tb.Fatalf("compile the test app: %v", err)
	}
	return b
}

// Image builds the test app into an image of the cluster, from nothing.
func Image(tb testing.TB, e *docker.Engine, id cluster.ID) cluster.Image {
	tb.Helper()
	tag := docker.BuiltPrefix + "rig:" + string(id)
	// The label comes first, so that tests that run side by side share no layer:
	// one's sweep would take it from another's build.
	label := "LABEL " + cluster.LabelCluster + "=" + string(id)
	files := map[string]string{"Dockerfile": "FROM scratch\n" + label + "\nCOPY testapp /testapp\nCMD [\"/testapp\"]\n", "testapp": string(Binary(tb))}
	got, err := e.Build(tb.Context(), docker.Recipe{
		Context: bytes.NewReader(Tar(tb, files)), Tag: tag, Memory: 512 << 20, CPUs: 2,
		Line: func(string) {},
	})
	if err != nil {
		tb.Fatalf("build the test app's image: %v", err)
	}
	return cluster.Image{Ref: tag, ID: got}
}

// Tar packs files by name; all of them are executable.
func Tar(tb testing.TB, files map[string]string) []byte {
	tb.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for name, text := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(text)), ModTime: time.Unix(1, 0)}); err != nil {
			tb.Fatalf("pack %s: %v", name, err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			tb.Fatalf("pack %s: %v", name, err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatalf("pack: %v", err)
	}
	return buf.Bytes()
}
