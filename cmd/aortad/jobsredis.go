package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/internal/atomicfile"
	"aorta/internal/config"
	"aorta/pacemaker/cluster"
)

// jobsPool is how many connections the pacemaker may have to one server.
const jobsPool = 50

// lookLimit bounds one look at the jobs Redis.
const lookLimit = 5 * time.Second

// jobsRedis is where the jobs are: a server that the daemon manages, or one of
// the operator's own, which may be away and whose settings are not ours.
type jobsRedis struct {
	name   string            // for people
	prefix string            // of the names that we give there
	reach  cluster.RedisDoor // the nodes' way, without a log-in
	log    *slog.Logger
	record string        // file with what it was when it was seen last; empty: nothing to remember
	fit    chan struct{} // closed once it was found fit, with the nodes' users in it
	runs   string        // the servers' runs that were greeted last; for who looks, who is one

	mu      sync.Mutex            // guards all below
	door    cluster.RedisDoor     // the pacemaker's way; its Cluster holds once client is set
	client  redis.UniversalClient // nil until it is known whether it is a Redis Cluster
	trouble error                 // what the last look found; nil: all is well
}

// managedJobs is the server that the daemon manages.
func managedJobs(d *daemon, m *masters) (*jobsRedis, error) {
	j := &jobsRedis{name: "the managed jobs Redis", reach: m.door(redisJobs, "", ""), log: d.log, fit: make(chan struct{})}
	j.door = cluster.RedisDoor{Network: "unix", Addr: m.jobs.Socket(), User: "admin", Password: d.secrets.password(redisJobs, "admin")}
	d.onClose(j.close)
	return j, j.take(false)
}

// givenJobs is the Redis that the configuration names. It is asked what it is:
// what can't become good by waiting is an error; when it is away it is taken as
// what it was.
func givenJobs(ctx context.Context, d *daemon, id cluster.ID) (*jobsRedis, error) {
	u, err := config.ParseRedisURL("jobs_redis_url", string(d.cfg.JobsRedisURL))
	if err != nil {
		return nil, err
	}
	addr := strings.Join(u.Addrs, ",")
	j := &jobsRedis{
		name: "the jobs Redis at " + addr, prefix: "aorta-" + string(id) + "-", log: d.log,
		record: d.path("jobs_redis.json"), fit: make(chan struct{}),
		reach: cluster.RedisDoor{Network: "tcp", Addr: addr, DB: u.DB, TLS: u.TLS},
	}
	if d.cfg.JobsRedisCA != "" {
		pem, err := os.ReadFile(d.cfg.JobsRedisCA)
		if err != nil {
			return nil, cluster.Invalid("jobs_redis_ca", "can't be read: %v", err)
		}
		j.reach.CA = string(pem)
	}
	if _, err := trustOf(j.reach); err != nil {
		return nil, err
	}
	j.door = j.reach
	j.door.User, j.door.Password = u.User, u.Password
	d.onClose(j.close)
	bounded, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	if err := j.connect(bounded); err != nil {
		var no unfit
		if errors.As(err, &no) {
			return nil, no
		}
		return j, j.remember()
	}
	return j, nil
}

// take connects to the Redis as what it is now known to be.
func (j *jobsRedis) take(sharded bool) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.door.Cluster = sharded
	client, err := dialJobs(j.door, jobsPool)
	if err != nil {
		return err
	}
	j.client = client
	if j.record == "" {
		return nil
	}
	raw, err := json.Marshal(known{j.door.Addr, sharded})
	if err == nil {
		err = atomicfile.Write(j.record, raw, 0o600)
	}
	if err != nil {
		return fmt.Errorf("remember what %s is: %w", j.name, err)
	}
	return nil
}

func (j *jobsRedis) close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.client != nil {
		_ = j.client.Close()
	}
}

// current is the client, once there is one.
func (j *jobsRedis) current() (redis.UniversalClient, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.client != nil {
		return j.client, nil
	}
	return nil, j.silent()
}

// silent is said as long as the Redis has never answered; mu is held.
func (j *jobsRedis) silent() error {
	if j.trouble != nil {
		return cluster.Unavailable("%v", j.trouble)
	}
	return cluster.Unavailable("%s has not answered yet", j.name)
}

// doorFor is a node's way in, once it is known what to dial.
func (j *jobsRedis) doorFor(user, password string) (cluster.RedisDoor, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.client == nil {
		return cluster.RedisDoor{}, j.silent()
	}
	door := j.reach
	door.User, door.Password, door.Cluster = user, password, j.door.Cluster
	return door, nil
}

// await gives the client once the Redis has been found fit, or ctx has ended.
func (j *jobsRedis) await(ctx context.Context) (redis.UniversalClient, error) {
	select {
	case <-j.fit:
		return j.current()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// found records what a look found, and says so when it is news.
func (j *jobsRedis) found(err error) {
	j.mu.Lock()
	before := j.trouble
	j.trouble = err
	j.mu.Unlock()
	switch {
	case err == nil && before != nil:
		j.log.Info(j.name + " is in order again")
	case err != nil && (before == nil || before.Error() != err.Error()):
		j.log.Warn("the jobs wait", "err", err)
	}
	if err != nil {
		return
	}
	select {
	case <-j.fit:
	default:
		close(j.fit)
	}
}

// wrong is what keeps the jobs waiting, if anything does.
func (j *jobsRedis) wrong() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.trouble
}
