package agent

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"aorta/internal/pki"
	"aorta/internal/profile"
	"aorta/internal/redisd"
	"aorta/pacemaker/cluster"
	"aorta/router/accesslog"
	"aorta/router/openresty"
	"aorta/router/stats"
	"aorta/router/table"
)

// The replica's name, as its directory and its process record have it, and its
// users.
const (
	ReplicaName = "routes-replica"
	readerUser  = "router" // reads the routing table on the replica
)

// catchUpTimeout is how long a router that starts waits for the newest table. A replica
// asks its master each second, and a pacemaker that starts lets replicas in once it has
// verified the table.
const catchUpTimeout = 5 * time.Second

// Pacemaker is whom an agent reports to.
type Pacemaker interface {
	RouterReport(context.Context, cluster.RouterReport) error
}

// Config says what a router is made of.
type Config struct {
	RouterID cluster.ID // the node's
	Cluster  cluster.ID
	Routes   cluster.RedisEndpoint // the master of the routing table
	Reached  bool                  // the pacemaker was, just now: its table can be waited for
	Identity pki.Files             // the node's, for its link to that
	Stats    cluster.RedisEndpoint // where the traffic is counted
	Networks []string              // where instances may be

	Listen         string         // for apps
	StatusListen   string         // health and status; private
	TrustedProxies []netip.Prefix // see openresty.Config
	LogBuffered    bool           // see openresty.Config
	Workers        int            // nginx workers; 0: one per core
	NginxPath      string         // looked for when empty

	DataDir  string // of the node: router/ and redis/routes-replica/ in it are ours
	RunDir   string // sockets
	StateDir string // process records

	Password  func(server, user string) string
	Pacemaker Pacemaker
	Log       *slog.Logger
}

// Agent is one router. It is opened once and run once.
type Agent struct {
	cfg     Config
	replica *redisd.Server
	nginx   *openresty.Nginx
	tailer  *accesslog.Tailer
	keeper  *table.Keeper
	watcher *watcher
	gap     *gap
	seen    atomic.Pointer[cluster.RouterReport]
	clients []*redis.Client
	watch   *redis.Client // receives changes of the table
}

// Open adopts or starts the replica and nginx, and returns once both answer.
func Open(ctx context.Context, cfg Config) (*Agent, error) {
	a := &Agent{cfg: cfg}
	err := a.openReplica(ctx)
	if err == nil {
		err = a.openNginx(ctx)
	}
	if err != nil {
		a.Close()
		return nil, err
	}
	counts, err := a.dial(cfg.Stats, 20)
	if err == nil {
		a.watch, err = a.dial(cluster.RedisEndpoint{
			Network: "unix", Addr: a.replica.Socket(), User: readerUser, Password: cfg.Password(ReplicaName, readerUser),
		}, 2)
	}
	if err != nil {
		a.Close()
		return nil, err
	}
	a.tailer = accesslog.NewTailer(accesslog.Config{
		Path: a.path("access.log"), Router: string(cfg.RouterID), Store: stats.NewStore(counts), Log: cfg.Log, Reopen: a.nginx.Reopen,
	})
	a.watcher = newWatcher(a.nginx, cfg.Log)
	a.gap = &gap{log: cfg.Log, path: a.path("nginx.log")}
	return a, nil
}

func (a *Agent) openReplica(ctx context.Context) (err error) {
	cfg := a.cfg
	a.replica, err = redisd.New(redisd.Config{
		Name: ReplicaName, Title: "routes replica", Persist: redisd.RDBOnly, StopOrder: 1,
		DataDir: filepath.Join(cfg.DataDir, "redis", ReplicaName), RunDir: cfg.RunDir, StateDir: cfg.StateDir,
		AdminPassword: cfg.Password(ReplicaName, "admin"),
		TLS:           &redisd.TLS{Cert: cfg.Identity.Cert, Key: cfg.Identity.Key, CA: cfg.Identity.CA},
		ReplicaOf:     &redisd.Master{Addr: cfg.Routes.Addr, User: cfg.Routes.User, Password: cfg.Routes.Password},
		Users:         []redisd.User{{Name: readerUser, Password: cfg.Password(ReplicaName, readerUser), Rules: redisd.RouterRules, On: true}},
	}, cfg.Log)
	if err != nil {
		return fmt.Errorf("redis %s: %w", ReplicaName, err)
	}
	if err := a.replica.Open(ctx); err != nil || a.replica.Adopted() || !cfg.Reached {
		return err
	}
	return a.catchUp(ctx)
}

// catchUp waits for the master's table at the start of a replica: the one on its disk is
// as old as its end, and instances that it names may be gone. One that can't be had in
// time is waited for no longer, since an old table is better than none.
func (a *Agent) catchUp(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, catchUpTimeout)
	defer cancel()
	if !a.replica.AwaitLink(bounded) && ctx.Err() == nil {
		a.cfg.Log.Warn("the router begins with the table that it had last, since the newest can't be had", "master", a.cfg.Routes.Addr)
	}
	return context.Cause(ctx)
}

func (a *Agent) openNginx(ctx context.Context) error {
	cfg := a.cfg
	networks := make([]netip.Prefix, 0, len(cfg.Networks))
	for _, s := range cfg.Networks {
		prefix, err := netip.ParsePrefix(s)
		if err != nil {
			return fmt.Errorf("networks of instances: %w", err)
		}
		networks = append(networks, prefix)
	}
	a.keeper = &table.Keeper{
		Replica: a.replica.Client(), Cluster: string(cfg.Cluster), Path: a.path("routes.table"), Log: cfg.Log,
	}
	nginx, err := openresty.New(openresty.Config{
		SaveTable: func() { a.keeper.Save(ctx) }, TableFile: a.keeper.Path,
		Listen: []string{cfg.Listen}, StatusListen: cfg.StatusListen, TrustedProxies: cfg.TrustedProxies, ReplicaSocket: a.replica.Socket(),
		ReplicaUser: readerUser, ReplicaPassword: cfg.Password(ReplicaName, readerUser),
		Cluster: string(cfg.Cluster), RouterID: string(cfg.RouterID), DataDir: a.path(), RunDir: cfg.RunDir, StateDir: cfg.StateDir,
		LogPath: a.path("access.log"), LogBuffered: cfg.LogBuffered, AllowedNetworks: networks,
		WorkerProcesses: cfg.Workers, NginxPath: cfg.NginxPath,
	}, cfg.Log)
	if err != nil {
		return err
	}
	a.nginx = nginx
	return nginx.Open(ctx)
}

// path names something of the router's own.
func (a *Agent) path(parts ...string) string {
	return filepath.Join(append([]string{a.cfg.DataDir, "router"}, parts...)...)
}

// dial connects to one server. Nothing is repeated by the client: whoever writes
// knows what may be.
func (a *Agent) dial(at cluster.RedisEndpoint, pool int) (*redis.Client, error) {
	var trust *tls.Config
	if at.TLS {
		var err error
		if trust, err = pki.Client(at.CA, at.Name); err != nil {
			return nil, fmt.Errorf("the authority of %s %w", at.Addr, err)
		}
	}
	client := redis.NewClient(&redis.Options{
		Network: at.Network, Addr: at.Addr, Username: at.User, Password: at.Password, TLSConfig: trust,
		MaxRetries: -1, DisableIdentity: true, ContextTimeoutEnabled: true, PoolSize: pool,
		ReadBufferSize: redisd.BufferSize, WriteBufferSize: redisd.BufferSize,
	})
	a.clients = append(a.clients, client)
	return client, nil
}

// Run keeps the router's parts up, counts its traffic and reports what the
// workers serve, until ctx ends or one of these dies: then the error has its
// name. Replica and nginx go on either way.
func (a *Agent) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for name, run := range map[string]func(context.Context) error{
		"redis " + ReplicaName:               a.replica.Run,
		"nginx":                              a.nginx.Run,
		"keeper of the routing table's file": a.keeper.Run,
		"tailer":                             a.tailer.Run,
		"router's report":                    a.report,
		"watcher of nginx's workers":         a.watcher.run,
	} {
		group.Go(func() error {
			err := profile.Part(ctx, name, run)
			if err == nil && ctx.Err() == nil {
				return fmt.Errorf("%s ended by itself", name)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// Close closes the clients; replica and nginx go on.
func (a *Agent) Close() {
	for _, client := range a.clients {
		_ = client.Close()
	}
	if a.replica != nil {
		_ = a.replica.Close()
	}
}

// Lag is how far the statistics are behind the access log: bytes that are not
// counted yet, and the age of the oldest such line.
func (a *Agent) Lag() (bytes int64, age time.Duration) { return a.tailer.Lag() }

// Rejected counts the lines of the access log that could not be read.
func (a *Agent) Rejected() uint64 { return a.tailer.Rejected() }

// Unlogged is when nginx said last that it could not write its access log: requests
// of up to a minute from then on are not all counted. Zero for never.
func (a *Agent) Unlogged() time.Time {
	last := a.gap.last.Load()
	if last == 0 {
		return time.Time{}
	}
	return time.Unix(0, last)
}

// Seen is what the router's workers said last, zero before they said anything.
func (a *Agent) Seen() cluster.RouterReport {
	if report := a.seen.Load(); report != nil {
		return *report
	}
	return cluster.RouterReport{}
}

// Replaced counts the workers that did not follow the routing table.
func (a *Agent) Replaced() uint64 { return a.watcher.Replaced() }
