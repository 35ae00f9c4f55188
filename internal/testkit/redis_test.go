package testkit

import (
	"crypto/tls"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func TestRedisCluster_KeepsKeysOnAllMasters(t *testing.T) {
	c := RedisCluster(t)
	rdb := c.Client(t, c.Options())
	used := map[int]bool{}

	for _, key := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		if err := rdb.Set(t.Context(), key, "x", 0).Err(); err != nil {
			t.Fatalf("SET %s: got %v, want nil", key, err)
		}
		at := c.MasterOf(t, key)
		used[at] = true
		if n := c.Masters[at].Client(t).Exists(t.Context(), key).Val(); n != 1 {
			t.Errorf("key %s on master %d: got %d, want 1", key, at, n)
		}
	}

	if len(used) != clusterMasters {
		t.Fatalf("masters with keys: got %d, want %d", len(used), clusterMasters)
	}
}

func TestRedisTLS_IsTrustedByItsOwnAuthorityOnly(t *testing.T) {
	s := RedisTLS(t)
	opt := &redis.Options{Addr: s.Addr, TLSConfig: &tls.Config{RootCAs: s.CA}, DisableIdentity: true, MaxRetries: -1}
	strange := &redis.Options{Addr: s.Addr, TLSConfig: &tls.Config{}, DisableIdentity: true, MaxRetries: -1}

	known, unknown := redis.NewClient(opt), redis.NewClient(strange)
	defer func() { _, _ = known.Close(), unknown.Close() }()

	if err := known.Ping(t.Context()).Err(); err != nil {
		t.Errorf("PING: got %v, want nil", err)
	}
	if err := unknown.Ping(t.Context()).Err(); err == nil {
		t.Errorf("PING under the machine's authorities: got nil, want a refusal")
	}
}

func TestClockedRedis_JumpsBothWays(t *testing.T) {
	s := ClockedRedis(t)

	for _, offset := range []time.Duration{time.Hour, -2 * time.Hour, 0} {
		s.Set(t, offset)
	}
}
