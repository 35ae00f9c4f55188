package redisconn

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/internal/tick"
	"aorta/pacemaker/cluster"
)

const (
	// poolSize is how many connections the pacemaker may have to one server.
	poolSize = 50
	// pollInterval is how often the jobs Redis is asked how it is.
	pollInterval = time.Second
	// pollTimeout bounds one such question, with all that follows from it.
	pollTimeout = 5 * time.Second
)

// Options say where the jobs Redis is, and who works there.
type Options struct {
	Name     string                // for people: "the managed jobs Redis"
	Endpoint cluster.RedisEndpoint // the pacemaker's own, with its log-in
	Reach    cluster.RedisEndpoint // the nodes', without a log-in
	External *External             // nil: the daemon manages it

	Nodes    func(context.Context) ([]cluster.Node, error) // each gets a user
	Password func(user string) string
	Log      *slog.Logger
}

// External is for a Redis of the operator's own, whose settings are not ours.
type External struct {
	Prefix string // of the names that we give there
	Record string // file with what it was when it answered last
}

// Redis is the jobs Redis as the pacemaker knows it. Its methods may be called
// from any goroutine; Prepare comes before Run.
type Redis struct {
	opt     Options
	usable  chan struct{} // closed once it was found compatible, with the nodes' users in it
	runs    string        // the servers' runs that were admitted last; of Prepare and Run
	applied string        // which users are set in which runs; of Prepare and Run
	looked  int64         // bytes in use when it was last looked who has filled it; of Prepare and Run

	mu      sync.Mutex            // guards all below
	own     cluster.RedisEndpoint // the pacemaker's; its Cluster holds once client is set
	client  redis.UniversalClient // nil until it is known whether it is a Redis Cluster
	problem error                 // what the last poll found; nil: nothing
}

// New connects to the jobs Redis. One of the operator's own is asked what it is:
// what can't become good by waiting is an error; when it is away it is taken as
// what it was.
func New(ctx context.Context, opt Options) (*Redis, error) {
	r := &Redis{opt: opt, own: opt.Endpoint, usable: make(chan struct{})}
	if _, err := trustOf(opt.Reach); err != nil {
		return nil, err
	}
	if opt.External == nil {
		return r, r.connectAs(false)
	}
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	if err := r.connect(ctx); err != nil {
		if isIncompatible(err) {
			return nil, err
		}
		return r, r.recall()
	}
	return r, nil
}

// Close closes the client.
func (r *Redis) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.client != nil {
		_ = r.client.Close()
	}
}

// Prepare polls once and sets the nodes' users. An external Redis may be away:
// then Run does all of this later.
func (r *Redis) Prepare(ctx context.Context) error {
	err := r.poll(ctx)
	if err != nil && (r.opt.External == nil || isIncompatible(err)) {
		return err
	}
	r.report(err)
	return nil
}

// Run polls the jobs Redis until ctx ends: a server that was started anew has
// lost the nodes' users, without a file of its own for them.
func (r *Redis) Run(ctx context.Context) error {
	for tick.Next(ctx, pollInterval) {
		err := r.poll(ctx)
		if ctx.Err() != nil {
			return nil
		}
		r.report(err)
	}
	return nil
}

func (r *Redis) poll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	found, err := r.inspect(ctx)
	if err != nil {
		return err
	}
	if err := r.takeBack(ctx, found.used); err != nil { // first: a full server takes no user
		return err
	}
	if err := r.admit(ctx, found.runs); err != nil {
		return err
	}
	return r.syncUsers(ctx, found.runs)
}

// report records what a poll found, and logs it when it is news.
func (r *Redis) report(err error) {
	r.mu.Lock()
	before := r.problem
	r.problem = err
	r.mu.Unlock()
	switch {
	case err == nil && before != nil:
		r.opt.Log.Info(r.opt.Name + " is in order again")
	case err != nil && (before == nil || before.Error() != err.Error()):
		r.opt.Log.Warn("the jobs wait", "err", err)
	}
	if err != nil {
		return
	}
	select {
	case <-r.usable:
	default:
		close(r.usable)
	}
}

// Problem is what keeps the jobs waiting, if anything does.
func (r *Redis) Problem() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.problem
}

// await gives the client once the Redis has been found compatible, or ctx has
// ended.
func (r *Redis) await(ctx context.Context) (redis.UniversalClient, error) {
	select {
	case <-r.usable:
		return r.current()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// current is the client, once there is one.
func (r *Redis) current() (redis.UniversalClient, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.client != nil {
		return r.client, nil
	}
	return nil, r.silent()
}

// silent is the error as long as the Redis has never answered; mu is held.
func (r *Redis) silent() error {
	if r.problem != nil {
		return cluster.Unavailable("%v", r.problem)
	}
	return cluster.Unavailable("%s has not answered yet", r.opt.Name)
}

// serverName names one server for people.
func (r *Redis) serverName(rdb *redis.Client) string {
	if r.opt.External == nil {
		return r.opt.Name
	}
	return fmt.Sprintf("the jobs Redis at %s", rdb.Options().Addr)
}
