package main

import (
	"context"
	"fmt"
	"net"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"aorta/internal/redisd"
	"aorta/pacemaker/cluster"
	"aorta/router/stats"
)

// The names of the managed Redis servers.
const (
	redisRoutes  = "routes"
	redisJobs    = "jobs"
	redisStats   = "stats"
	redisReplica = "routes-replica"
)

// The users of the managed masters beside the admin.
const (
	userReplica = "replica" // follows the routes master
	userRouter  = "router"  // reads routes on the replica
	userTailer  = "tailer"  // writes statistics
)

// masters are the pacemaker's managed Redis servers.
type masters struct {
	routes, jobs, stats *redisd.Server    // jobs is nil when the operator has one
	addr                map[string]string // TCP address by name
}

// openMasters adopts or starts them, side by side.
func (d *daemon) openMasters(ctx context.Context) (*masters, error) {
	m := &masters{addr: map[string]string{}}
	users := map[string][]redisd.User{
		redisRoutes: {{Name: userReplica, Password: d.secrets.password(redisRoutes, userReplica), Rules: redisd.ReplicaRules}},
		redisStats:  {{Name: userTailer, Password: d.secrets.password(redisStats, userTailer), Rules: stats.TailerRules, On: true}},
	}
	servers := map[string]**redisd.Server{redisRoutes: &m.routes, redisJobs: &m.jobs, redisStats: &m.stats}
	if d.cfg.JobsRedisURL != "" {
		delete(servers, redisJobs)
		if err := d.endManagedJobs(ctx); err != nil {
			return nil, err
		}
	}
	group, gctx := errgroup.WithContext(ctx)
	for name, at := range servers {
		addr, err := d.places.at("redis_"+name, "", d.cfg.RedisAddress)
		if err != nil {
			return nil, err
		}
		m.addr[name] = addr
		server, err := d.newRedis(redisd.Config{
			Name: name, Addresses: []string{addr}, Users: users[name], Persist: redisd.AOFAndRDB, StopOrder: 2,
		})
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

// endManagedJobs ends the managed server that had the jobs before one of the
// operator's own was named; open operations begin anew there. Its files stay.
func (d *daemon) endManagedJobs(ctx context.Context) error {
	addr, recorded := d.places.Addrs["redis_"+redisJobs]
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

// door tells a node where a master is and who it is there.
func (m *masters) door(name, user, password string) cluster.RedisDoor {
	return cluster.RedisDoor{Network: "tcp", Addr: m.addr[name], User: user, Password: password}
}

// dialServer connects to a managed server as its admin, over its socket.
func (d *daemon) dialServer(s *redisd.Server, name string, pool int) *redis.Client {
	c := dial(cluster.RedisDoor{Network: "unix", Addr: s.Socket(), User: "admin", Password: d.secrets.password(name, "admin")}, pool)
	d.onClose(func() { _ = c.Close() })
	return c
}

func portOf(addr string) string {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return ""
	}
	return port
}
