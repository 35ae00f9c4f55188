package redisq

import (
	"fmt"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// dedicated makes a client of its own with another's options, for reads that
// wait: they don't notice the end of their context, but that of their client.
func dedicated(rdb redis.UniversalClient) (redis.UniversalClient, error) {
	switch c := rdb.(type) {
	case *redis.Client:
		opt := *c.Options()
		opt.MinIdleConns, opt.PoolSize = 0, maxWaiting
		opt.MaxRetries = unless0(opt.MaxRetries)
		// Push handlers of the other client's connections are not for these.
		opt.PushNotificationProcessor, opt.MaintNotificationsConfig = nil, unannounced()
		return redis.NewClient(&opt), nil
	case *redis.ClusterClient:
		opt := *c.Options()
		opt.MinIdleConns, opt.PoolSize = 0, maxWaiting
		opt.MaxRetries, opt.MaxRedirects = unless0(opt.MaxRetries), unless0(opt.MaxRedirects)
		opt.PushNotificationProcessor, opt.MaintNotificationsConfig = nil, unannounced()
		return redis.NewClusterClient(&opt), nil
	}
	return nil, fmt.Errorf("make a client that waits: %T is neither one server nor a Redis Cluster", rdb)
}

// unless0 keeps a 0 that a client has made of -1, none: as an option 0 is the
// default, some.
func unless0(n int) int {
	if n == 0 {
		return -1
	}
	return n
}

// unannounced declines a server's notices of maintenance: a cut read is repeated.
func unannounced() *maintnotifications.Config {
	return &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}

// maxWaiting bounds the connections to one server; they are made when needed.
const maxWaiting = 10000

// sharded says whether keys of different tags may lie on different servers.
func sharded(rdb redis.UniversalClient) bool {
	_, yes := rdb.(*redis.ClusterClient)
	return yes
}
