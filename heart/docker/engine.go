package docker

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/moby/moby/client"

	"aorta/internal/pause"
	"aorta/internal/watch"
	"aorta/pacemaker/cluster"
)

// Timeouts of calls, so that a hung engine does not hang its callers. A call
// that times out says nothing about the container: it is unknown, never gone.
const (
	queryTimeout = 10 * time.Second // inspect, list, signals
	workTimeout  = 60 * time.Second // create, start, remove
	checkTimeout = 4 * time.Second  // of Check; a busy engine may take its time
	pullTimeout  = 30 * time.Minute
	buildTimeout = 25 * time.Hour // whoever builds has a limit of its own, below it
)

// awaitInterval is the time between two questions to an engine that is not up yet.
const awaitInterval = 500 * time.Millisecond

// Options say which engine, for which cluster, and how much output of a
// container it keeps.
type Options struct {
	Host     string     // "unix:///var/run/docker.sock", or empty for the environment's
	Cluster  cluster.ID // labels everything made here; nothing without it is touched
	LogSize  int64      // of one file of a container's output, bytes; default DefaultLogSize
	LogFiles int        // how many of them; default DefaultLogFiles
}

// The engine's log files of a container, unless Options say otherwise. So
// many that a second of the fastest output does not rotate them all away.
const (
	DefaultLogSize  = 10 << 20
	DefaultLogFiles = 5
)

// Engine is one Docker engine as one cluster uses it. It is safe for
// concurrent use and reconnects by itself.
type Engine struct {
	cli     *client.Client
	host    string
	cluster cluster.ID
	output  map[string]string
	making  sync.Mutex // held by who makes the network: the engine would make two

	// mu guards the rest.
	mu      sync.Mutex
	hasInit *bool
	net     Network // as it was last; zero before
}

// Open prepares an engine's client. It does not connect: the API version is
// negotiated with the first call, so the engine may start later.
func Open(o Options) (*Engine, error) {
	opts := []client.Opt{client.FromEnv}
	if o.Host != "" {
		opts = append(opts, client.WithHost(o.Host))
	}
	cli, err := client.New(opts...)
	if err != nil {
		return nil, cluster.Invalid("docker_host", "%q is not the address of a Docker engine (such as unix:///var/run/docker.sock): %v", o.Host, err)
	}
	if o.LogSize == 0 {
		o.LogSize = DefaultLogSize
	}
	if o.LogFiles == 0 {
		o.LogFiles = DefaultLogFiles
	}
	return &Engine{
		cli: cli, host: cli.DaemonHost(), cluster: o.Cluster,
		// All that an engine's own defaults could set otherwise is named here.
		output: map[string]string{"max-size": fmt.Sprint(o.LogSize), "max-file": fmt.Sprint(o.LogFiles), "compress": "false", "mode": "blocking"},
	}, nil
}

// Close drops idle connections. Containers are not touched.
func (e *Engine) Close() error { return e.cli.Close() }

// Host is the engine's address, for messages.
func (e *Engine) Host() string { return e.host }

// Info is what the heart needs to know of an engine.
type Info struct {
	Version     string // such as 20.10.24
	RootDir     string // holds images and containers; its disk is the one that fills up
	HasInit     bool   // has docker-init, which reaps zombies
	LiveRestore bool   // containers survive a restart of the engine
}

// Info asks the engine about itself.
func (e *Engine) Info(ctx context.Context) (Info, error) {
	var info Info
	err := e.call(ctx, "report its state", queryTimeout, func(ctx context.Context) error {
		r, err := e.cli.Info(ctx, client.InfoOptions{})
		info = Info{
			Version: r.Info.ServerVersion, RootDir: r.Info.DockerRootDir,
			HasInit: r.Info.InitBinary != "", LiveRestore: r.Info.LiveRestoreEnabled,
		}
		return err
	})
	return info, err
}

// Await is Info of an engine that may be still to be started: it waits for it until
// ctx ends.
func (e *Engine) Await(ctx context.Context, log *slog.Logger) (Info, error) {
	for warned := false; ; warned = true {
		info, err := e.Info(ctx)
		if err == nil {
			return info, nil
		}
		if !warned {
			log.Warn("waiting for the Docker engine", "err", err)
		}
		if !pause.For(ctx, awaitInterval) {
			return info, fmt.Errorf("wait for the Docker engine: %w", err)
		}
	}
}

// Check asks the engine for something that it has to look up, quickly: one that
// is up may hang all the same.
func (e *Engine) Check(ctx context.Context) error {
	return e.call(ctx, "answer", checkTimeout, func(ctx context.Context) error {
		_, err := e.cli.ContainerList(ctx, client.ContainerListOptions{All: true, Limit: 1, Filters: e.clusterFilter()})
		return err
	})
}

// Probe uses the engine by Check, for the roles that need it.
func (e *Engine) Probe(roles ...cluster.Role) watch.Probe {
	return watch.Probe{
		Kind: cluster.PartEngine, Name: "Docker engine", Roles: roles, Limit: checkTimeout + time.Second, Use: e.Check,
		Silent: fmt.Sprintf("The Docker engine at %s does not answer: see its log (journalctl -u docker).", e.host),
	}
}

// initWanted says whether containers get docker-init as their first process.
// It is asked once: an engine does not change its binaries while it runs.
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

// call runs one request with a timeout and converts its error.
func (e *Engine) call(ctx context.Context, verb string, limit time.Duration, fn func(context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := fn(bounded)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%s: %w", verb, ctx.Err())
	}
	return e.fault(verb, err)
}

func (e *Engine) clusterFilter() client.Filters {
	return make(client.Filters).Add("label", cluster.LabelCluster+"="+string(e.cluster))
}
