// Package rig gives the heart's tests a real Docker engine, an image with an
// app that can misbehave, and a clean engine afterwards. It is for tests only.
package rig

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"aorta/heart/docker"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// Engine opens the engine for a cluster of its own. Every container, image and
// network of that cluster is removed at the end of the test.
func Engine(tb testing.TB) (*docker.Engine, cluster.ID) {
	tb.Helper()
	if testing.Short() {
		tb.Skip("needs a Docker engine, which a quick check does not ask for")
	}
	id := cluster.NewID()
	e := EngineAt(tb, testkit.DockerHost(), id)
	if _, err := e.Info(tb.Context()); err != nil {
		tb.Fatalf("this test needs a Docker engine at %s (set AORTA_TEST_DOCKER_HOST to another): %v", testkit.DockerHost(), err)
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

// AwaitExit waits until the instance's process has ended and returns its
// container.
func AwaitExit(tb testing.TB, e *docker.Engine, id cluster.ID) docker.Container {
	tb.Helper()
	var c docker.Container
	testkit.Eventually(tb, "the app to exit", func() bool {
		var err error
		c, err = e.Inspect(tb.Context(), id)
		return err == nil && c.Started && !c.Running
	})
	return c
}

func sweep(tb testing.TB, e *docker.Engine) {
	ctx := context.Background() // each call has a limit of its own
	list, err := e.List(ctx)
	if err != nil {
		tb.Errorf("list what the test left: %v", err)
	}
	for _, c := range list {
		if err := e.Remove(ctx, c.Instance); err != nil {
			tb.Errorf("remove container %s: %v", c.Instance, err)
		}
	}
	sweepImages(ctx, tb, e)
	if err := e.RemoveNetwork(ctx); err != nil {
		tb.Errorf("remove the test's network: %v", err)
	}
}

func sweepImages(ctx context.Context, tb testing.TB, e *docker.Engine) {
	var failed error
	defer func() {
		if failed != nil {
			tb.Logf("what kept the test's images last: %v", failed)
		}
	}()
	// An aborted build's container may live on for a moment.
	testkit.Eventually(tb, "the test's images to be removed", func() bool {
		var images []cluster.EngineImage
		images, failed = e.Inventory(ctx)
		for _, i := range images {
			_, err := e.Discard(ctx, i, nil)
			failed = errors.Join(failed, err)
		}
		return failed == nil
	})
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
