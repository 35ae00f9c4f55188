package redisconn

import (
	"context"
	"crypto/tls"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"aorta/internal/pki"
	"aorta/internal/redisd"
	"aorta/pacemaker/cluster"
)

// dialTimeout bounds a connection to a server that may be far, TLS included.
const dialTimeout = 3 * time.Second

// dial connects to the jobs Redis, which may be anybody's. Nothing is repeated
// by the client: whoever writes knows what may be.
func dial(at cluster.RedisEndpoint, pool int) (redis.UniversalClient, error) {
	trust, err := trustOf(at)
	if err != nil {
		return nil, err
	}
	quiet := &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	if !at.Cluster {
		return redis.NewClient(&redis.Options{
			Network: at.Network, Addr: at.Addr, Username: at.User, Password: at.Password, DB: at.DB, TLSConfig: trust,
			MaxRetries: -1, DialerRetries: 1, DialTimeout: dialTimeout, DisableIdentity: true, ContextTimeoutEnabled: true,
			PoolSize: pool, ReadBufferSize: redisd.BufferSize, WriteBufferSize: redisd.BufferSize, MaintNotificationsConfig: quiet,
		}), nil
	}
	return redis.NewClusterClient(&redis.ClusterOptions{
		Addrs: strings.Split(at.Addr, ","), Username: at.User, Password: at.Password, TLSConfig: trust,
		// Following a redirect, the client repeats what a broken connection cut off
		// too. A command that meets a moved slot fails once; then the slots are new.
		MaxRedirects: -1,
		MaxRetries:   -1, DialerRetries: 1, DialTimeout: dialTimeout, DisableIdentity: true, ContextTimeoutEnabled: true,
		// Every command names its keys; a node's user may not ask for the list of commands.
		DisableRoutingPolicies: true,
		PoolSize:               pool, ReadBufferSize: redisd.BufferSize, WriteBufferSize: redisd.BufferSize, MaintNotificationsConfig: quiet,
	}), nil
}

// trustOf is nil for an endpoint without TLS.
func trustOf(at cluster.RedisEndpoint) (*tls.Config, error) {
	if !at.TLS {
		return nil, nil
	}
	trust, err := pki.Client(at.CA, at.Name)
	if err != nil {
		return nil, fmt.Errorf("the authority of the jobs Redis %w (jobs_redis_ca)", err)
	}
	return trust, nil
}

// eachMaster calls fn with every server that takes writes, several at a time.
func eachMaster(ctx context.Context, client redis.UniversalClient, fn func(context.Context, *redis.Client) error) error {
	switch c := client.(type) {
	case *redis.Client:
		return fn(ctx, c)
	case *redis.ClusterClient:
		return c.ForEachMaster(ctx, fn)
	}
	return fmt.Errorf("%T is neither one server nor a Redis Cluster", client)
}

func isCluster(client redis.UniversalClient) bool {
	_, yes := client.(*redis.ClusterClient)
	return yes
}
