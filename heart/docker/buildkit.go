package docker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/build"
	"github.com/moby/moby/client"
	"github.com/moby/moby/client/pkg/versions"

	"aorta/heart/docker/buildkit"
	"aorta/heart/docker/dockerfile"
	"aorta/pacemaker/cluster"
)

// NoBuildKit says why an engine builds by its classic builder alone.
type NoBuildKit struct {
	Why string // such as "the engine's API 1.38 is older than BuildKit in it"
}

func (n *NoBuildKit) Error() string { return n.Why }

// BuildKit makes an image by the engine's BuildKit: *NoBuildKit when there is
// none, and then nothing was tried. The end of ctx ends the build on the engine.
func (e *Engine) BuildKit(ctx context.Context, r dockerfile.Recipe) error {
	if err := e.offersBuildKit(ctx); err != nil {
		return err
	}
	if err := buildkit.CheckSize(r); err != nil {
		return err
	}
	if r.Guard != nil {
		// The frontend asks an ssh server for its key while it reads. What comes by
		// HTTP is seen on its way.
		if err := checkURLs(ctx, r, slices.DeleteFunc(buildkit.NamesOf(r).URLs, buildkit.IsHTTP)); err != nil {
			return err
		}
	}
	info, err := e.Info(ctx)
	if err != nil {
		return err
	}
	var result error
	err = e.call(ctx, "build an image", buildTimeout, func(ctx context.Context) error {
		result = buildkit.Build(ctx, e.dial, filepath.Join(info.RootDir, "buildkit", "executor"), r)
		var failed *dockerfile.Failed
		var coded *cluster.Error
		if errors.As(result, &failed) && !containsAny(failed.Message, noSpace) || errors.As(result, &coded) || errors.Is(result, buildkit.ErrNone) {
			return nil // the engine is not to blame
		}
		return result
	})
	if errors.Is(result, buildkit.ErrNone) {
		return &NoBuildKit{fmt.Sprintf("the engine at %s offers none: %v", e.host, result)}
	}
	if err != nil {
		return err
	}
	return result
}

// The versions of the API since which BuildKit is part of every engine, and since
// which an engine that names another builder has been told to.
const (
	buildKitAPI = "1.39"
	saysBuilder = "1.42"
)

func (e *Engine) offersBuildKit(ctx context.Context) error {
	var ping client.PingResult
	err := e.call(ctx, "say what it is", queryTimeout, func(ctx context.Context) (err error) {
		ping, err = e.cli.Ping(ctx, client.PingOptions{})
		return err
	})
	switch {
	case err != nil:
		return err
	case versions.LessThan(ping.APIVersion, buildKitAPI):
		return &NoBuildKit{fmt.Sprintf("the engine's API %s is older than BuildKit in it", ping.APIVersion)}
	case ping.BuilderVersion == build.BuilderV1 && !versions.LessThan(ping.APIVersion, saysBuilder):
		return &NoBuildKit{"BuildKit is switched off in the engine's daemon.json"}
	}
	return nil
}

// dial opens a connection of its own to the engine.
func (e *Engine) dial(ctx context.Context, path, protocol string, meta map[string][]string) (net.Conn, error) {
	conn, err := e.cli.DialHijack(ctx, path, protocol, meta)
	if lost := new(net.OpError); errors.As(err, &lost) {
		return nil, fmt.Errorf("%w: %w", cerrdefs.ErrUnavailable, err)
	}
	return conn, err
}
