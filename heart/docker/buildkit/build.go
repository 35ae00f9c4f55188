package buildkit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/identity"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/filesync"
	"github.com/moby/buildkit/session/secrets/secretsprovider"
	"github.com/sirupsen/logrus"
	"github.com/tonistiigi/fsutil"

	"aorta/heart/docker/dockerfile"
)

// Dial opens a connection to the engine's API and turns it into one that speaks
// the protocol.
type Dial func(ctx context.Context, path, protocol string, meta map[string][]string) (net.Conn, error)

// ErrNone means that the engine has no BuildKit.
var ErrNone = errors.New("no BuildKit")

// The library warns of connections that end as builds do. What matters is in the
// errors that it returns.
func init() { logrus.SetOutput(io.Discard) }

// Build makes an image. The end of ctx ends the build on the engine. What the
// Dockerfile is to blame for comes as *dockerfile.Failed; ErrNone, wrapped with
// the engine's words, says that nothing was tried. bundles is where BuildKit keeps
// what its steps run from, for what limits them.
func Build(ctx context.Context, dial Dial, bundles string, r dockerfile.Recipe) error {
	files, err := newTree(r.Files, r.Content)
	if err != nil {
		return err
	}
	c, err := connect(ctx, dial)
	if err != nil {
		return err
	}
	defer c.Close()
	updates := make(chan *client.SolveStatus)
	offered := &folders{byName: map[string]fsutil.FS{"context": files, "dockerfile": definition(r)}, fetched: map[string]string{}}
	defer offered.Close()
	named := newSecrets(r)
	p := newProgress(r, named.plain)
	var beside sync.WaitGroup
	beside.Go(func() { // ends with the build, which closes the updates
		for u := range updates {
			p.add(u)
		}
	})
	g := &guarded{guard: r.Guard, secrets: named, folders: offered, bounds: newBounds(r, bundles)}
	bounding, over := context.WithCancel(ctx)
	beside.Go(func() { g.bounds.follow(bounding) })
	_, err = c.Build(ctx, options(r, offered, named), "aorta", g.build, updates)
	over()
	beside.Wait()
	p.flush()
	if refused := g.verdict(); refused != nil {
		return refused
	}
	return p.verdict(ctx, err)
}

func options(r dockerfile.Recipe, files *folders, s secrets) client.SolveOpt {
	return client.SolveOpt{
		Exports:       []client.ExportEntry{{Type: "moby", Attrs: map[string]string{"name": r.Tag}}},
		FrontendAttrs: attributes(r),
		// The engine keeps the files of a context under this key and asks for
		// those alone whose size or time is another. Two sources of one app can
		// have a file with the same of both, so each build has a key of its own.
		SharedKey: identity.NewID(),
		Session:   []session.Attachable{secretsprovider.FromMap(s.named()), filesync.NewFSSyncProvider(files)},
	}
}

// attributes are the options of the Dockerfile frontend. It leaves out limits
// that the engine's BuildKit does not know.
func attributes(r dockerfile.Recipe) map[string]string {
	attrs := map[string]string{
		"filename": definitionName,
		"cmdline":  "aorta", // so that a "# syntax=" line has no effect
	}
	if r.Memory > 0 {
		attrs["memory"] = strconv.FormatInt(r.Memory, 10)
		attrs["memswap"] = attrs["memory"]
	}
	if r.CPUs > 0 {
		attrs["cpuperiod"] = strconv.Itoa(dockerfile.CPUPeriod)
		attrs["cpuquota"] = strconv.FormatInt(r.CPUQuota(), 10)
	}
	if r.Target != "" {
		attrs["target"] = r.Target
	}
	if r.AlwaysPull {
		attrs["image-resolve-mode"] = "pull"
	}
	for k, v := range r.Labels {
		attrs["label:"+k] = v
	}
	for k, v := range r.Args {
		attrs["build-arg:"+k] = v
	}
	// BuildKit takes some arguments as settings of its own; this one is ours.
	attrs["build-arg:BUILDKIT_CACHE_MOUNT_NS"] = r.Owner
	return attrs
}

// connect opens the client. The first connection is made here, so that an engine
// without BuildKit is told from one that is away.
func connect(ctx context.Context, dial Dial) (*client.Client, error) {
	conn, err := dial(ctx, "/grpc", "h2c", nil)
	if err != nil {
		return nil, notOffered(err)
	}
	first := make(chan net.Conn, 1)
	first <- conn
	c, err := client.New(ctx, "", client.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
		select {
		case conn := <-first:
			return conn, nil
		default:
			return dial(ctx, "/grpc", "h2c", nil)
		}
	}), client.WithSessionDialer(func(ctx context.Context, protocol string, meta map[string][]string) (net.Conn, error) {
		return dial(ctx, "/session", protocol, meta)
	}))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open BuildKit: %w", err), conn.Close())
	}
	return c, nil
}
