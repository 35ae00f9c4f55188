package build_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/moby/buildkit/identity"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/filesync"
	buildapi "github.com/moby/moby/api/types/build"
	"github.com/moby/moby/client"
	"github.com/tonistiigi/fsutil"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// dockerBuild builds a directory as docker build with BuildKit does, with the
// engine's own frontend, into an image of the cluster. It is the other side of the
// tests of difference and shares nothing with what is tested.
func dockerBuild(t *testing.T, id cluster.ID, dir string) string {
	t.Helper()
	ctx := testkit.Bounded(t)
	cli, err := client.New(client.WithHost(testkit.DockerHost()))
	if err != nil {
		t.Fatal(err)
	}
	defer cli.Close()
	files, err := fsutil.NewFS(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := session.NewSession(ctx, identity.NewID())
	if err != nil {
		t.Fatal(err)
	}
	s.Allow(filesync.NewFSSyncProvider(filesync.StaticDirSource{"context": files, "dockerfile": files}))
	ended := make(chan error, 1)
	go func() {
		ended <- s.Run(ctx, func(ctx context.Context, protocol string, meta map[string][]string) (net.Conn, error) {
			return cli.DialHijack(ctx, "/session", protocol, meta)
		})
	}()
	tag := "aorta/asdocker:" + identity.NewID()
	o := client.ImageBuildOptions{Version: buildapi.BuilderBuildKit, RemoteContext: "client-session", SessionID: s.ID(), Tags: []string{tag}, Labels: map[string]string{cluster.LabelCluster: string(id)}}
	res, err := cli.ImageBuild(ctx, nil, o)
	var said []byte
	if err == nil {
		said, err = io.ReadAll(res.Body)
	}
	if err := errors.Join(err, s.Close(), <-ended); err != nil || strings.Contains(string(said), `"error":`) {
		t.Fatalf("docker build: %v\n%s", err, said)
	}
	return tag
}
