package redisq

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"

	"aorta/internal/testkit"
	"aorta/jobs"
)

// The test binary, started again with these set, is a worker that can be killed.
const (
	childEnv    = "REDISQ_TEST_CHILD"    // the socket
	childRisk   = "REDISQ_TEST_RISK"     // percent: kill -9 of itself at each crash point
	childAction = "REDISQ_TEST_BEHAVIOR" // "hang": handlers never return; "single": one job at a time, leases of stormTTL
)

// Keys that the handlers of children write, beside those of the jobs.
const (
	keyEffects    = "effects"    // set of jobs: the effects, named by their job
	keyExecutions = "executions" // hash: job → how often its handler came to its effect
	keyViolations = "violations" // counter: handlers that ran before a child's effect was there
)

var childQueue = jobs.RoleQueue("killed")

// treeArgs tell a handler what must have happened before.
type treeArgs struct {
	Children []string `json:"children"`
}

// startChild starts a worker process; its end closes the channel.
func startChild(tb testing.TB, socket string, risk int, action string) (*exec.Cmd, <-chan struct{}) {
	tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+socket, childRisk+"="+strconv.Itoa(risk), childAction+"="+action)
	return cmd, testkit.StartChild(tb, cmd)
}

func runChild() {
	rdb := redis.NewClient(clientOptions(os.Getenv(childEnv)))
	risk, _ := strconv.Atoi(os.Getenv(childRisk))
	opt := workerOptions(childQueue, map[string]jobs.Handler{"step": effect(rdb)})
	if os.Getenv(childAction) == "hang" {
		opt.Handlers["step"] = func(ctx context.Context, r *jobs.Run) (any, error) {
			rdb.Incr(ctx, "hung")
			<-ctx.Done()
			return nil, ctx.Err()
		}
	}
	if os.Getenv(childAction) == "single" {
		opt.Concurrency, opt.LeaseTTL = 1, stormTTL
	}
	opt.Crash = func(string) {
		if rand.IntN(100) < risk {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	}
	if err := NewWorker(rdb, opt).Run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// effect is a handler whose effect is named by the job. It notes in the Redis
// itself when a job runs before its children's effects are there.
func effect(rdb *redis.Client) jobs.Handler {
	return func(ctx context.Context, r *jobs.Run) (any, error) {
		var args treeArgs
		if err := r.Args(&args); err != nil {
			return nil, err
		}
		for _, c := range args.Children {
			there, err := rdb.SIsMember(ctx, keyEffects, c).Result()
			if err != nil {
				return nil, err
			}
			if !there {
				rdb.Incr(ctx, keyViolations)
				return nil, errors.New("ran before its child")
			}
		}
		_, err := rdb.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.SAdd(ctx, keyEffects, r.ID())
			p.HIncrBy(ctx, keyExecutions, r.ID(), 1)
			return nil
		})
		return nil, err
	}
}
