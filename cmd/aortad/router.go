package main

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/internal/redisd"
	"aorta/pacemaker/cluster"
	"aorta/router"
	"aorta/router/accesslog"
	"aorta/router/openresty"
	"aorta/router/stats"
	"aorta/router/table"
)

// openRouter starts the replica, nginx and the tailer of its log, and reports
// what the workers serve.
func (n *node) openRouter(ctx context.Context) (string, error) {
	if n.welcome.Routes.Addr == "" {
		return "", errNoRouter
	}
	replica, err := n.openReplica(ctx)
	if err != nil {
		return "", err
	}
	nginx, err := n.openNginx(ctx, replica)
	if err != nil {
		return "", err
	}
	n.keepTable(replica)
	if err := n.openTailer(nginx); err != nil {
		return "", err
	}
	watch := dial(cluster.RedisDoor{Network: "unix", Addr: replica.Socket(), User: userRouter, Password: n.d.secrets.password(redisReplica, userRouter)}, 2)
	n.d.onClose(func() { _ = watch.Close() })
	report := &reporter{n: n, nginx: nginx}
	n.d.loop("router's report", func(ctx context.Context) error {
		changes := watch.Subscribe(ctx, table.ChangedChannel)
		defer func() { _ = changes.Close() }()
		return report.run(ctx, changes.Channel())
	})
	return "HTTP on " + n.d.cfg.RouterListen, nil
}

func (n *node) openReplica(ctx context.Context) (*redisd.Server, error) {
	d := n.d
	replica, err := d.newRedis(redisd.Config{
		Name: redisReplica, Persist: redisd.RDBOnly, StopOrder: 1,
		ReplicaOf: &redisd.Master{Addr: n.welcome.Routes.Addr, User: n.welcome.Routes.User, Password: n.welcome.Routes.Password},
		Users:     []redisd.User{{Name: userRouter, Password: d.secrets.password(redisReplica, userRouter), Rules: redisd.RouterRules, On: true}},
	})
	if err != nil {
		return nil, err
	}
	if err := replica.Open(ctx); err != nil {
		return nil, err
	}
	d.loop("redis "+redisReplica, replica.Run)
	return replica, nil
}

// keepTable writes the table beside nginx's files, in the directory that
// opening nginx has made.
func (n *node) keepTable(replica *redisd.Server) {
	d := n.d
	keeper := &table.Keeper{
		Replica: d.dialServer(replica, redisReplica, 2), Cluster: string(n.welcome.Cluster), Path: d.path("router", "routes.table"), Log: d.log,
	}
	d.loop("keeper of the routing table's file", keeper.Run)
}

func (n *node) openNginx(ctx context.Context, replica *redisd.Server) (*openresty.Nginx, error) {
	d := n.d
	status, err := d.places.at("router_status", d.cfg.RouterStatusListen, "127.0.0.1")
	if err != nil {
		return nil, err
	}
	networks := make([]netip.Prefix, 0, len(n.welcome.Networks))
	for _, s := range n.welcome.Networks {
		prefix, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, fmt.Errorf("networks of instances: %w", err)
		}
		networks = append(networks, prefix)
	}
	nginx, err := openresty.New(openresty.Config{
		Listen: []string{d.cfg.RouterListen}, StatusListen: status, ReplicaSocket: replica.Socket(),
		ReplicaUser: userRouter, ReplicaPassword: d.secrets.password(redisReplica, userRouter),
		Cluster: string(n.welcome.Cluster), RouterID: string(n.id), DataDir: d.path("router"), RunDir: d.cfg.RunDir, StateDir: d.path("state"),
		LogPath: d.path("router", "access.log"), LogBuffered: d.cfg.AccessLogBuffered, AllowedNetworks: networks,
		WorkerProcesses: d.cfg.RouterWorkers, NginxPath: d.cfg.Nginx,
	}, d.log)
	if err != nil {
		return nil, err
	}
	if err := nginx.Open(ctx); err != nil {
		return nil, err
	}
	d.loop("nginx", nginx.Run)
	return nginx, nil
}

func (n *node) openTailer(nginx *openresty.Nginx) error {
	client := dial(n.welcome.Stats, 20)
	n.d.onClose(func() { _ = client.Close() })
	tailer := accesslog.NewTailer(accesslog.Config{
		Path: n.d.path("router", "access.log"), Router: string(n.id), Store: stats.NewStore(client), Log: n.d.log, Reopen: nginx.Reopen,
	})
	countTailer(tailer)
	n.d.loop("tailer", tailer.Run)
	return nil
}

// How often the workers are asked: closely while a change is on its way or
// requests on leaving instances are counted down, else now and then. A message
// of a change makes it soon.
const (
	routerLook = 10 * time.Millisecond
	routerBeat = time.Second
	routerKeen = 3 * time.Second
)

// reporter tells the pacemaker the lowest generation among a router's workers,
// and what is in flight on instances that have left.
type reporter struct {
	n     *node
	nginx *openresty.Nginx
	last  cluster.RouterReport
	told  time.Time
	keen  time.Time // until then the workers are asked closely
}

// run reports at once on a change and each second. Messages only wake: a
// change that was missed is seen with the next beat.
func (r *reporter) run(ctx context.Context, changes <-chan *redis.Message) error {
	for {
		r.look(ctx)
		wait := routerBeat
		if time.Now().Before(r.keen) {
			wait = routerLook
		}
		pause := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil
		case <-changes:
			r.keen = time.Now().Add(routerKeen)
		case <-pause.C:
		}
		pause.Stop()
	}
}

func (r *reporter) look(ctx context.Context) {
	report, ok := r.n.routerState(ctx, r.nginx)
	if !ok || same(report, r.last) && time.Since(r.told) < routerBeat {
		return
	}
	if len(report.Inflight) > 0 {
		r.keen = time.Now().Add(routerKeen)
	}
	if err := r.n.client.RouterReport(ctx, report); err == nil {
		r.last, r.told = report, time.Now()
	}
}

func (n *node) routerState(ctx context.Context, nginx *openresty.Nginx) (cluster.RouterReport, bool) {
	bounded, cancel := context.WithTimeout(ctx, routerBeat)
	defer cancel()
	st, err := nginx.Status(bounded)
	if err != nil || len(st.Workers) == 0 {
		return cluster.RouterReport{}, false
	}
	r := cluster.RouterReport{Epoch: st.Epoch, Generation: st.Generation, Workers: len(st.Workers), Inflight: map[cluster.ID]int64{}}
	for id, count := range st.InFlight {
		r.Inflight[cluster.ID(id)] = int64(count)
	}
	return r, true
}

func same(a, b cluster.RouterReport) bool {
	if (router.Pair{Epoch: a.Epoch, Generation: a.Generation}) != (router.Pair{Epoch: b.Epoch, Generation: b.Generation}) || len(a.Inflight) != len(b.Inflight) {
		return false
	}
	for id, n := range a.Inflight {
		if b.Inflight[id] != n {
			return false
		}
	}
	return a.Workers == b.Workers
}
