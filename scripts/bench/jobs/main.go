// Command jobs measures the job trees on a Redis of its own: the time from
// adding a job to its handler's start and from an abort to the handler's end on
// an idle system, the throughput of trees of seven jobs, and what an idle system
// costs. It takes about 15 seconds.
//
// It is a yardstick for changes, not a test: it asserts nothing.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/redis/go-redis/v9"

	redisd "aorta/scripts/bench/redis"
)

const (
	workers   = 20
	treeSize  = 7
	latencies = 2000
	aborts    = 300
	trees     = 3000
	idleSpan  = 5 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench jobs:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	server, err := redisd.Start(ctx)
	if err != nil {
		return err
	}
	defer server.Stop()
	rdb := redis.NewClient(&redis.Options{
		Network: "unix", Addr: server.Socket, DisableIdentity: true, MaxRetries: -1, PoolSize: 100,
	})
	defer func() { _ = rdb.Close() }()
	b := newBench(rdb)
	if err := b.start(ctx); err != nil {
		return err
	}
	defer b.stop()
	for _, measure := range []func(context.Context) error{b.latency, b.abort, b.throughput, b.idle} {
		if err := measure(ctx); err != nil {
			return err
		}
	}
	return nil
}
