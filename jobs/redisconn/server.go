package redisconn

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// server is what one server says of itself.
type server struct {
	version    string
	runID      string // new with each start
	sentinel   bool
	cluster    bool // a member of a Redis Cluster
	role       string
	master     string // of a replica, host:port
	eviction   string
	appendOnly bool
	used       int64 // bytes
}

func askServer(ctx context.Context, rdb *redis.Client) (server, error) {
	info := rdb.InfoMap(ctx, "server", "cluster", "replication", "memory", "persistence")
	var refusal redis.Error
	if errors.As(info.Err(), &refusal) {
		// Several sections by name are a thing of 7.0; an older server is to be named.
		info = rdb.InfoMap(ctx)
	}
	if err := info.Err(); err != nil {
		return server{}, err
	}
	used, _ := strconv.ParseInt(info.Item("Memory", "used_memory"), 10, 64)
	return server{
		version: info.Item("Server", "redis_version"), runID: info.Item("Server", "run_id"),
		sentinel: info.Item("Server", "redis_mode") == "sentinel", cluster: info.Item("Cluster", "cluster_enabled") == "1",
		role:     info.Item("Replication", "role"),
		master:   info.Item("Replication", "master_host") + ":" + info.Item("Replication", "master_port"),
		eviction: info.Item("Memory", "maxmemory_policy"), appendOnly: info.Item("Persistence", "aof_enabled") != "0",
		used: used,
	}, nil
}

// minRedis is the first version whose users can be given keys to read alone.
const minRedis = 7

// check says what is wrong with a server that is to keep jobs: name is its name
// for people, asCluster what it was taken for.
func (s server) check(name string, asCluster bool) error {
	major, _, _ := strings.Cut(s.version, ".")
	if n, err := strconv.Atoi(major); err != nil || n < minRedis {
		return incompatiblef("%s is Redis %s, and the nodes' users need 7.0 or later: update it, or name another one (jobs_redis_url)", name, s.version)
	}
	if s.sentinel {
		return incompatiblef("%s is a Sentinel, which keeps no data: name the master that it watches (jobs_redis_url)", name)
	}
	if s.cluster != asCluster {
		if asCluster {
			return incompatiblef("%s is no member of a Redis Cluster: name this server alone, or members only, and start aortad again (jobs_redis_url)", name)
		}
		return incompatiblef("%s has become a member of a Redis Cluster: start aortad again, it will be taken as one", name)
	}
	if s.role != "master" {
		return incompatiblef("%s is a %s of %s and takes no writes: name its master (jobs_redis_url)", name, roleName(s.role), s.master)
	}
	if s.eviction != "noeviction" {
		return incompatiblef("%s throws keys away when its memory is full (maxmemory-policy %s), and jobs with them: set it to noeviction there", name, s.eviction)
	}
	return nil
}

func roleName(role string) string {
	if role == "slave" {
		return "replica"
	}
	return role
}
