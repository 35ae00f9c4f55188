package main

import (
	"context"
	"fmt"
	"net"
	"sync"

	"golang.org/x/sync/errgroup"

	"aorta/internal/cgroup"
	"aorta/internal/pki"
	"aorta/internal/redisd"
	"aorta/pacemaker/cluster"
	"aorta/router/stats"
)

// The names of the managed Redis servers.
const (
	redisRoutes = "routes"
	redisJobs   = "jobs"
	redisStats  = "stats"
)

// maxJobsCommand bounds a message of a node, which the keeper reads whatever it is;
// its own writes are much smaller.
const maxJobsCommand = "client-query-buffer-limit 4mb"

// titles are what people call those whose name is short for it.
var titles = map[string]string{redisStats: "statistics Redis"}

// masters are the pacemaker's managed Redis servers.
type masters struct {
	routes, jobs, stats *redisd.Server    // jobs is nil when the operator has one
	addr                map[string]string // TCP address by name
	ca                  string            // PEM: who signs their certificate
	secrets             secrets

	mu       sync.Mutex // guards all below, and holds changes of users in order
	routers  []cluster.Node
	shut     []string // of them, the ids of those that have no way to the statistics
	verified string   // the run of the routes master whose table was verified last
}

// openMasters adopts or starts them, side by side.
func (d *daemon) openMasters(ctx context.Context, c *controller) (*masters, error) {
	m := &masters{addr: map[string]string{}, ca: string(c.authority.PEM()), secrets: d.secrets}
	files, err := c.authority.ServerFiles(d.path("pki"), "redis")
	if err != nil {
		return nil, err
	}
	nodes, err := c.store.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	m.routers = routersOf(nodes)
	servers := map[string]**redisd.Server{redisRoutes: &m.routes, redisJobs: &m.jobs, redisStats: &m.stats}
	if d.cfg.JobsRedisURL != "" {
		delete(servers, redisJobs)
		if err := d.endManagedJobs(ctx); err != nil {
			return nil, err
		}
	}
	group, gctx := errgroup.WithContext(ctx)
	for name, at := range servers {
		addr, err := d.addrs.resolve(listener{
			name: "redis_" + name, option: "redis_address", given: net.JoinHostPort(d.cfg.RedisAddress, "0"), daemon: "redis-" + name,
		})
		if err != nil {
			return nil, err
		}
		m.addr[name] = addr
		server, err := d.newRedis(m.config(name, &redisd.TLS{Cert: files.Cert, Key: files.Key, CA: files.CA}))
		if err != nil {
			return nil, err
		}
		*at = server
		group.Go(func() error { return server.Open(gctx) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for name, server := range servers {
		d.loop("redis "+name, (*server).Run)
	}
	return m, nil
}

// config is one of them, whose address is known.
func (m *masters) config(name string, tls *redisd.TLS) redisd.Config {
	cfg := redisd.Config{
		Name: name, Title: titles[name], Addresses: []string{m.addr[name]}, TLS: tls, Persist: redisd.AOFAndRDB, StopOrder: 2, MaxMemory: redisMemory(cgroup.OwnMemory()),
	}
	switch name {
	case redisRoutes:
		cfg.Users = m.replicas()
	case redisStats:
		cfg.Users, cfg.Scripts = m.tailers(), stats.TailerScripts()
	case redisJobs:
		cfg.Extra = []string{maxJobsCommand}
	}
	return cfg
}

// redisMemory is what one of them may hold: nodes write to them, and whoever writes
// without end must not fill the machine, nor the control group that it shares with this
// process. Rounded, since the kernel's own share differs a little from boot to boot, and
// another limit is a restart of the server.
func redisMemory(own int64) int64 {
	const step, least = 64 << 20, 256 << 20
	return max(least, own/4/step*step)
}

// endManagedJobs ends the managed server that had the jobs before one of the
// operator's own was named; open operations begin anew there. Its files stay.
func (d *daemon) endManagedJobs(ctx context.Context) error {
	addr, recorded := d.addrs.Chosen["redis_"+redisJobs]
	if !recorded {
		return nil
	}
	server, err := d.newRedis(redisd.Config{Name: redisJobs, Addresses: []string{addr}, Persist: redisd.AOFAndRDB, StopOrder: 2})
	if err != nil {
		return err
	}
	return server.Stop(ctx)
}

func (d *daemon) newRedis(cfg redisd.Config) (*redisd.Server, error) {
	cfg.DataDir = d.path("redis", cfg.Name)
	cfg.RunDir, cfg.StateDir = d.cfg.RunDir, d.path("state")
	cfg.AdminPassword = d.secrets.password(cfg.Name, "admin")
	server, err := redisd.New(cfg, d.log)
	if err != nil {
		return nil, fmt.Errorf("redis %s: %w", cfg.Name, err)
	}
	d.onClose(func() { _ = server.Close() })
	return server, nil
}

// endpoint is where a node finds a master, and who it is there.
func (m *masters) endpoint(name, user, password string) cluster.RedisEndpoint {
	return cluster.RedisEndpoint{Network: "tcp", Addr: m.addr[name], User: user, Password: password, TLS: true, CA: m.ca, Name: pki.ServerName}
}

func portOf(addr string) string {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return ""
	}
	return port
}
