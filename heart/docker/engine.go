package docker

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/moby/moby/client"

	"aorta/pacemaker/cluster"
)

// How long the engine may take. A hung engine must not hang its callers: a
// call that ends by these is "unknown", never "gone".
const (
	lookTimeout  = 10 * time.Second // inspect, list, signals
	workTimeout  = 60 * time.Second // create, start, remove
	pullTimeout  = 30 * time.Minute
	buildTimeout = 60 * time.Minute
)

// Options say which engine, for which cluster, and how much output of a
// container it keeps.
type Options struct {
	Host     string     // "unix:///var/run/docker.sock", or empty for the environment's
	Cluster  cluster.ID // labels everything made here; nothing without it is touched
	LogSize  string     // of one file of a container's output; default "10m"
	LogFiles int        // how many of them; default 2
}

// Engine is one Docker engine as one cluster uses it. It is safe for
// concurrent use and reconnects by itself.
type Engine struct {
	cli     *client.Client
	host    string
	cluster cluster.ID
	output  map[string]string

	// mu guards hasInit.
	mu      sync.Mutex
	hasInit *bool
}

// Open prepares an engine's client. It does not connect: the API version is
// agreed upon with the first call, so an engine that is away may come later.
func Open(o Options) (*Engine, error) {
	opts := []client.Opt{client.FromEnv}
	if o.Host != "" {
		opts = append(opts, client.WithHost(o.Host))
	}
	cli, err := client.New(opts...)
	if err != nil {
		return nil, cluster.Invalid("docker_host", "%q is not the address of a Docker engine (such as unix:///var/run/docker.sock): %v", o.Host, err)
	}
	if o.LogSize == "" {
		o.LogSize = "10m"
	}
	if o.LogFiles == 0 {
		o.LogFiles = 2
	}
	return &Engine{
		cli: cli, host: cli.DaemonHost(), cluster: o.Cluster,
		output: map[string]string{"max-size": o.LogSize, "max-file": fmt.Sprint(o.LogFiles)},
	}, nil
}

// Close drops idle connections. Containers are not touched.
func (e *Engine) Close() error { return e.cli.Close() }

// Host is the engine's address, for messages.
func (e *Engine) Host() string { return e.host }

// Info is what the heart wants to know of an engine.
type Info struct {
	Version     string // such as 20.10.24
	RootDir     string // where images and containers lie; its disk is the one that fills
	HasInit     bool   // docker-init is there and can reap zombies
	LiveRestore bool   // containers survive a restart of the engine
}

// Info asks the engine about itself.
func (e *Engine) Info(ctx context.Context) (Info, error) {
	var info Info
	err := e.call(ctx, "ask for its state", lookTimeout, func(ctx context.Context) error {
		r, err := e.cli.Info(ctx, client.InfoOptions{})
		info = Info{
			Version: r.Info.ServerVersion, RootDir: r.Info.DockerRootDir,
			HasInit: r.Info.InitBinary != "", LiveRestore: r.Info.LiveRestoreEnabled,
		}
		return err
	})
	return info, err
}

// initWanted says whether containers get docker-init as their first process.
// The answer is asked for once; an engine does not change its binaries live.
func (e *Engine) initWanted(ctx context.Context) (bool, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.hasInit == nil {
		info, err := e.Info(ctx)
		if err != nil {
			return false, err
		}
		e.hasInit = &info.HasInit
	}
	return *e.hasInit, nil
}

// call runs one request under a limit and turns its error into ours.
func (e *Engine) call(ctx context.Context, verb string, limit time.Duration, fn func(context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := fn(bounded)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%s: %w", verb, ctx.Err())
	}
	return e.fault(verb, err)
}

func (e *Engine) ours() client.Filters {
	return make(client.Filters).Add("label", cluster.LabelCluster+"="+string(e.cluster))
}
