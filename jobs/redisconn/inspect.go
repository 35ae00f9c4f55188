package redisconn

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/internal/atomicfile"
	"aorta/pacemaker/cluster"
)

// askTimeout bounds the first question to one address.
const askTimeout = 2 * time.Second

// connect finds out what the Redis is, unless that is known. The first of
// several addresses that answers speaks for all.
func (r *Redis) connect(ctx context.Context) error {
	if _, err := r.current(); err == nil {
		return nil
	}
	at := r.opt.Endpoint
	several := strings.Contains(at.Addr, ",")
	var failed error
	for addr := range strings.SplitSeq(r.opt.Endpoint.Addr, ",") {
		at.Addr = addr
		name := "the jobs Redis at " + addr
		s, err := ask(ctx, at)
		if err == nil {
			if err := r.checkFirst(name, s, several || s.cluster); err != nil {
				return err
			}
			return r.connectAs(s.cluster)
		}
		failed = explain(name+guess(at, err), err)
	}
	return failed
}

func ask(ctx context.Context, at cluster.RedisEndpoint) (server, error) {
	client, err := dial(at, 1)
	if err != nil {
		return server{}, err
	}
	defer func() { _ = client.Close() }()
	ctx, cancel := context.WithTimeout(ctx, askTimeout) // one that is silent leaves time for the others
	defer cancel()
	return askServer(ctx, client.(*redis.Client))
}

// checkFirst leaves the role to the inspection of the masters when the server
// that answered is a replica of a Redis Cluster.
func (r *Redis) checkFirst(name string, s server, asCluster bool) error {
	if asCluster && r.opt.Endpoint.DB != 0 {
		return incompatiblef("%s is a Redis Cluster, which has no database %d: leave the number out (jobs_redis_url)", name, r.opt.Endpoint.DB)
	}
	if asCluster && s.cluster {
		s.role = "master"
	}
	return s.check(name, asCluster)
}

// connectAs connects to the Redis as what it is now known to be.
func (r *Redis) connectAs(asCluster bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.own.Cluster = asCluster
	client, err := dial(r.own, poolSize)
	if err != nil {
		return err
	}
	r.client = client
	if r.opt.External == nil {
		return nil
	}
	raw, err := json.Marshal(known{r.own.Addr, asCluster})
	if err == nil {
		err = atomicfile.Write(r.opt.External.Record, raw, 0o600)
	}
	if err != nil {
		return fmt.Errorf("remember what %s is: %w", r.opt.Name, err)
	}
	return nil
}

// known is what is remembered of a Redis between two starts.
type known struct {
	Addr    string `json:"addr"`
	Cluster bool   `json:"cluster"`
}

// recall takes the Redis for what it was, or has to be. Else it stays unknown
// until it answers.
func (r *Redis) recall() error {
	if strings.Contains(r.opt.Endpoint.Addr, ",") {
		return r.connectAs(true)
	}
	var was known
	raw, err := os.ReadFile(r.opt.External.Record)
	if err != nil || json.Unmarshal(raw, &was) != nil || was.Addr != r.opt.Endpoint.Addr {
		return nil
	}
	return r.connectAs(was.Cluster)
}

// inspected is what a poll found of all masters.
type inspected struct {
	runs string // another one is another process, without the users of the one before
	used int64  // bytes
}

// inspect checks every master.
func (r *Redis) inspect(ctx context.Context) (found inspected, err error) {
	if err := r.connect(ctx); err != nil {
		return found, err
	}
	client, err := r.current()
	if err != nil {
		return found, err
	}
	var mu sync.Mutex // guards ids and found
	var ids []string
	asCluster := isCluster(client)
	err = eachMaster(ctx, client, func(ctx context.Context, rdb *redis.Client) error {
		name := r.serverName(rdb)
		s, err := askServer(ctx, rdb)
		if err != nil {
			return explain(name, err)
		}
		if err := s.check(name, asCluster); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		ids = append(ids, s.runID)
		found.used += s.used
		return nil
	})
	slices.Sort(ids)
	found.runs = strings.Join(ids, ",")
	return found, explain(r.opt.Name, err)
}

// admit tries what we need in external servers that are new, and warns of what
// may be lost there.
func (r *Redis) admit(ctx context.Context, runs string) error {
	if r.opt.External == nil || runs == r.runs {
		return nil
	}
	client, err := r.current()
	if err != nil {
		return err
	}
	err = eachMaster(ctx, client, func(ctx context.Context, rdb *redis.Client) error {
		name := r.serverName(rdb)
		if err := probe(ctx, rdb, name, r.opt.External.Prefix); err != nil {
			return err
		}
		s, err := askServer(ctx, rdb)
		if err == nil && !s.appendOnly {
			r.opt.Log.Warn(name + " keeps no append-only file: what it loses with a restart begins anew (set appendonly yes there)")
		}
		return err
	})
	if err == nil {
		r.runs = runs
	}
	return explain(r.opt.Name, err)
}
