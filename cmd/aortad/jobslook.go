package main

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/pacemaker/cluster"
)

// askLimit bounds the first question to one address.
const askLimit = 2 * time.Second

// connect finds out what the Redis is, unless that is known. The first of
// several addresses that answers speaks for all.
func (j *jobsRedis) connect(ctx context.Context) error {
	if _, err := j.current(); err == nil {
		return nil
	}
	var failed error
	several := strings.Contains(j.door.Addr, ",")
	for addr := range strings.SplitSeq(j.door.Addr, ",") {
		one := j.door
		one.Addr = addr
		who := "the jobs Redis at " + addr
		fields, err := ask(ctx, one)
		if err == nil {
			sharded := fields["cluster_enabled"] == "1"
			if err := j.judge(who, fields, several || sharded); err != nil {
				return err
			}
			return j.take(sharded)
		}
		failed = explain(who+guess(one, err), err)
	}
	return failed
}

func ask(ctx context.Context, door cluster.RedisDoor) (map[string]string, error) {
	client, err := dialJobs(door, 1)
	if err != nil {
		return nil, err
	}
	defer func() { _ = client.Close() }()
	ctx, cancel := context.WithTimeout(ctx, askLimit) // one that is silent leaves time for the others
	defer cancel()
	return info(ctx, client.(*redis.Client))
}

// judge leaves the role to a look at the masters when the one that answered is
// a replica of a Redis Cluster.
func (j *jobsRedis) judge(who string, fields map[string]string, sharded bool) error {
	if sharded && j.door.DB != 0 {
		return unfitf("%s is a Redis Cluster, which has no database %d: leave the number out (jobs_redis_url)", who, j.door.DB)
	}
	if sharded && fields["cluster_enabled"] == "1" {
		fields["role"] = "master"
	}
	return judge(who, fields, sharded)
}

// known is what is remembered of a Redis between two starts.
type known struct {
	Addr    string `json:"addr"`
	Cluster bool   `json:"cluster"`
}

// remember takes the Redis for what it was, or has to be. Else it stays unknown
// until it answers.
func (j *jobsRedis) remember() error {
	if strings.Contains(j.door.Addr, ",") {
		return j.take(true)
	}
	var was known
	raw, err := os.ReadFile(j.record)
	if err != nil || json.Unmarshal(raw, &was) != nil || was.Addr != j.door.Addr {
		return nil
	}
	return j.take(was.Cluster)
}

// look asks every master whether it is fit, and names their runs: another name
// is another process, without the users of the one before.
func (j *jobsRedis) look(ctx context.Context) (runs string, err error) {
	if err := j.connect(ctx); err != nil {
		return "", err
	}
	client, err := j.current()
	if err != nil {
		return "", err
	}
	var mu sync.Mutex // guards ids
	var ids []string
	_, sharded := client.(*redis.ClusterClient)
	err = eachMaster(ctx, client, func(ctx context.Context, rdb *redis.Client) error {
		who := j.whoIs(rdb)
		fields, err := info(ctx, rdb)
		if err != nil {
			return explain(who, err)
		}
		if err := judge(who, fields, sharded); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		ids = append(ids, fields["run_id"])
		return nil
	})
	slices.Sort(ids)
	return strings.Join(ids, ","), explain(j.name, err)
}

func (j *jobsRedis) whoIs(rdb *redis.Client) string {
	if j.record == "" {
		return j.name
	}
	return "the jobs Redis at " + rdb.Options().Addr
}

// greet tries what we need in servers that are new, and says what may be lost there.
func (j *jobsRedis) greet(ctx context.Context, runs string) error {
	if j.record == "" || runs == j.runs {
		return nil
	}
	client, err := j.current()
	if err != nil {
		return err
	}
	err = eachMaster(ctx, client, func(ctx context.Context, rdb *redis.Client) error {
		who := j.whoIs(rdb)
		if err := probe(ctx, rdb, who, j.prefix); err != nil {
			return err
		}
		fields, err := info(ctx, rdb)
		if err == nil && fields["aof_enabled"] == "0" {
			j.log.Warn(who + " keeps no append-only file: what it loses with a restart begins anew (set appendonly yes there)")
		}
		return err
	})
	if err == nil {
		j.runs = runs
	}
	return explain(j.name, err)
}
