// Command accesslog measures what following the access log costs on one core:
// lines per second read, parsed and added up, the same into a Redis of its own,
// the share of a core at 10,000 requests per second, and what a release and an
// instance with steady traffic take in that Redis. It takes about a minute.
//
// It is a yardstick for changes, not a test: it asserts nothing.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/router/stats"
	redisd "aorta/scripts/bench/redis"
)

func main() {
	lines := flag.Int("lines", 3_000_000, "lines of the log that is followed")
	flag.Parse()
	runtime.GOMAXPROCS(1)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	if err := run(ctx, *lines); err != nil {
		fmt.Fprintln(os.Stderr, "bench accesslog:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, lines int) error {
	server, err := redisd.Start(ctx)
	if err != nil {
		return err
	}
	defer server.Stop()
	rdb := redis.NewClient(&redis.Options{
		Network: "unix", Addr: server.Socket, DisableIdentity: true, MaxRetries: -1,
	})
	defer func() { _ = rdb.Close() }()
	store := stats.NewStore(rdb)
	log, err := newTraffic(server.Dir)
	if err != nil {
		return err
	}
	defer log.close()
	if err := log.write(lines); err != nil {
		return err
	}
	if err := follow(ctx, "read, parsed, added up", log, &counter{}); err != nil {
		return err
	}
	if err := follow(ctx, "the same into Redis", log, &counter{Store: store}); err != nil {
		return err
	}
	if err := steady(ctx, log, &counter{Store: store}); err != nil {
		return err
	}
	return memory(ctx, rdb, store)
}
