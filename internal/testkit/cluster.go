package testkit

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

const (
	clusterMasters = 3
	clusterSlots   = 16384
)

// RedisClusterServers are three masters of a Redis Cluster, without replicas,
// that share all slots evenly.
type RedisClusterServers struct {
	Masters []*RedisServer // each also answers on its unix socket
	Addrs   []string       // host:port of each, in the same order
}

// RedisCluster starts three masters, makes them know each other and waits until
// every one of them says that the cluster is whole. Extra arguments are appended
// to every command line.
func RedisCluster(tb testing.TB, extra ...string) *RedisClusterServers {
	tb.Helper()
	c := &RedisClusterServers{}
	var buses []string
	for range clusterMasters {
		port, bus := FreePort(tb), FreePort(tb)
		args := append([]string{
			"--port", port, "--bind", "127.0.0.1", "--cluster-enabled", "yes",
			"--cluster-port", bus, "--cluster-config-file", "nodes.conf", "--cluster-node-timeout", "5000",
		}, extra...)
		c.Masters = append(c.Masters, Redis(tb, args...))
		c.Addrs = append(c.Addrs, net.JoinHostPort("127.0.0.1", port))
		buses = append(buses, bus)
	}
	c.join(tb, buses)
	for _, m := range c.Masters {
		awaitWhole(tb, m)
	}
	return c
}

// join gives each master its slots and introduces all to the first.
func (c *RedisClusterServers) join(tb testing.TB, buses []string) {
	tb.Helper()
	first, bus := c.Addrs[0], buses[0]
	host, port, _ := net.SplitHostPort(first)
	for i, m := range c.Masters {
		rdb := m.Client(tb)
		from, to := i*clusterSlots/clusterMasters, (i+1)*clusterSlots/clusterMasters-1
		if err := rdb.ClusterAddSlotsRange(context.Background(), from, to).Err(); err != nil {
			tb.Fatalf("give slots %d to %d to %s: %v", from, to, c.Addrs[i], err)
		}
		if i == 0 {
			continue
		}
		if err := rdb.Do(context.Background(), "CLUSTER", "MEET", host, port, bus).Err(); err != nil {
			tb.Fatalf("introduce %s to %s: %v", c.Addrs[i], first, err)
		}
	}
}

func awaitWhole(tb testing.TB, m *RedisServer) {
	tb.Helper()
	rdb := m.Client(tb)
	known := "cluster_known_nodes:" + strconv.Itoa(clusterMasters)
	Eventually(tb, "the Redis Cluster to be whole on "+m.Socket, func() bool {
		text := rdb.ClusterInfo(context.Background()).Val()
		return strings.Contains(text, "cluster_state:ok") && strings.Contains(text, known)
	})
}

// Restart kills a master and starts it again, and waits until all see the
// cluster whole. What it kept on disk is all that it has then.
func (c *RedisClusterServers) Restart(tb testing.TB, i int) {
	tb.Helper()
	c.Masters[i].Kill()
	c.Masters[i].Start(tb)
	for _, m := range c.Masters {
		awaitWhole(tb, m)
	}
}

// Options are those of a client of the whole cluster; change what is needed.
func (c *RedisClusterServers) Options() *redis.ClusterOptions {
	return &redis.ClusterOptions{
		Addrs: c.Addrs, DisableIdentity: true, MaxRetries: -1, ContextTimeoutEnabled: true,
	}
}

// Client connects to the cluster; it is closed at the end of the test.
func (c *RedisClusterServers) Client(tb testing.TB, opt *redis.ClusterOptions) *redis.ClusterClient {
	tb.Helper()
	rdb := redis.NewClusterClient(opt)
	tb.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

// MasterOf is the index of the master that keeps a key.
func (c *RedisClusterServers) MasterOf(tb testing.TB, key string) int {
	tb.Helper()
	slot, err := c.Masters[0].Client(tb).ClusterKeySlot(context.Background(), key).Result()
	if err != nil {
		tb.Fatalf("ask for the slot of %s: %v", key, err)
	}
	for i := range c.Masters {
		if int(slot) < (i+1)*clusterSlots/clusterMasters {
			return i
		}
	}
	tb.Fatalf("key %s lies in slot %d of %d", key, slot, clusterSlots)
	return 0
}
