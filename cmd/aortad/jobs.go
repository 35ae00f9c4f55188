package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"aorta/internal/config"
	"aorta/internal/disk"
	"aorta/jobs"
	"aorta/jobs/redisconn"
	"aorta/jobs/redisq"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/following"
)

// claimTimeout bounds how long a start waits until the jobs are this pacemaker's.
const claimTimeout = 5 * time.Second

// openJobsRedis connects to the jobs Redis and sets the nodes' users in it.
func (c *controller) openJobsRedis(ctx context.Context) error {
	opt, err := c.jobsOptions()
	if err != nil {
		return err
	}
	if c.jobs, err = redisconn.New(ctx, opt); err != nil {
		return err
	}
	c.d.onClose(c.jobs.Close)
	if err := c.jobs.Prepare(ctx); err != nil {
		return err
	}
	c.d.loop("jobs Redis", c.jobs.Run)
	return nil
}

// jobsOptions are those of the server that the daemon manages, or of the one
// that the configuration names.
func (c *controller) jobsOptions() (redisconn.Options, error) {
	d := c.d
	opt := redisconn.Options{
		Nodes: c.store.Nodes, Log: d.log,
		Password: func(user string) string { return d.secrets.password(redisJobs, user) },
	}
	if c.m.jobs != nil {
		opt.Name, opt.Reach = "the managed jobs Redis", c.m.endpoint(redisJobs, "", "")
		opt.Endpoint = cluster.RedisEndpoint{Network: "unix", Addr: c.m.jobs.Socket(), User: "admin", Password: opt.Password("admin")}
		return opt, nil
	}
	u, err := config.ParseRedisURL("jobs_redis_url", string(d.cfg.JobsRedisURL))
	if err != nil {
		return opt, err
	}
	addr := strings.Join(u.Addrs, ",")
	opt.Name = "the jobs Redis at " + addr
	opt.External = &redisconn.External{Prefix: "aorta-" + string(c.cluster) + "-", Record: d.path("jobs_redis.json")}
	opt.Reach = cluster.RedisEndpoint{Network: "tcp", Addr: addr, DB: u.DB, TLS: u.TLS}
	if d.cfg.JobsRedisCA != "" {
		pem, err := os.ReadFile(d.cfg.JobsRedisCA)
		if err != nil {
			return opt, cluster.Invalid("jobs_redis_ca", "can't be read: %v", err)
		}
		opt.Reach.CA = string(pem)
	}
	opt.Endpoint = opt.Reach
	opt.Endpoint.User, opt.Endpoint.Password = u.User, u.Password
	return opt, nil
}

// openKeeper starts the keeper of the jobs and the pacemaker's own workers, all
// once the jobs Redis can be used.
func (c *controller) openKeeper(opt redisq.KeeperOptions, workers ...redisq.WorkerOptions) {
	k := redisconn.NewKeeper(c.jobs, opt)
	c.pace.SetJobs(pacemakerJobs{k})
	c.claimed = k.Claimed()
	c.d.loop("job keeper", func(ctx context.Context) error {
		err := k.Run(ctx)
		if errors.Is(err, redisq.ErrFenced) && !isClosed(k.Claimed()) {
			return refusal{err} // they never were ours
		}
		return err
	})
	c.d.loop("pacemaker's worker", func(ctx context.Context) error { return k.Work(ctx, workers...) })
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// awaitClaim waits until the jobs are this pacemaker's, so that a Redis that is
// another one's is refused at the start. One that is away is not waited for.
func (c *controller) awaitClaim(ctx context.Context) error {
	if c.jobs.Problem() != nil {
		return nil
	}
	limit := time.NewTimer(claimTimeout)
	defer limit.Stop()
	select {
	case <-c.claimed:
	case <-limit.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// pacemakerJobs shows the keeper as the pacemaker knows it.
type pacemakerJobs struct{ *redisconn.Keeper }

// Log is part of pacemaker.Jobs.
func (j pacemakerJobs) Log(ctx context.Context, job, after string) ([]following.Line, error) {
	lines, err := j.Keeper.Log(ctx, job, after)
	out := make([]following.Line, len(lines))
	for i, l := range lines {
		out[i] = following.Line{Cursor: l.ID, Time: l.Time, Text: l.Text}
	}
	return out, err
}

// Watch is part of pacemaker.Jobs.
func (j pacemakerJobs) Watch(ctx context.Context) <-chan following.Event {
	out := make(chan following.Event)
	go func() { // ends with the keeper's events, which end with ctx
		defer close(out)
		for e := range j.Keeper.Watch(ctx) {
			select {
			case out <- following.Event{Tree: e.Tree, Log: e.Log}:
			case <-ctx.Done():
			}
		}
	}()
	return out
}

// work runs a worker of one queue, as this node's own user.
func (n *node) work(name string, opt redisq.WorkerOptions) {
	opt.ID, opt.Crash, opt.Log, opt.Handlers = string(n.id), n.d.crash, n.d.log, told(opt.Handlers)
	n.d.loop(name, func(ctx context.Context) error { return n.jobs.Work(ctx, opt) })
}

// told are the handlers, with errors that say what the disk had against the work.
func told(handlers map[string]jobs.Handler) map[string]jobs.Handler {
	all := make(map[string]jobs.Handler, len(handlers))
	for kind, handle := range handlers {
		all[kind] = func(ctx context.Context, r *jobs.Run) (any, error) {
			result, err := handle(ctx, r)
			return result, disk.ExplainError(err)
		}
	}
	return all
}

var builderQueue = jobs.RoleQueue(string(cluster.RoleBuilder))
