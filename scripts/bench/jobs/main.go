// Command jobs measures the job trees on a Redis of its own, sets them beside
// asynq, and sends a storm of killed workers over them.
//
//	go run ./scripts/bench/jobs [-only latency|throughput|idle|asynq|storm]
//
// It is a yardstick for changes, not a test: what is slow is printed as missed,
// and the exit code stays 0. The storm alone is a check: it ends with 1 when a
// job was lost, repeated its effect, or left something behind.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	redisd "aorta/scripts/bench/redis"
)

// part is one section of the measurement. It may add figures to the report.
type part struct {
	name  string
	limit time.Duration
	run   func(context.Context, *lab) error
}

var parts = []part{
	{"latency", time.Minute, latencyPart},
	{"throughput", time.Minute, throughputPart},
	{"idle", time.Minute, idlePart},
	{"asynq", 6 * time.Minute, asynqPart},
	{"storm", 5 * time.Minute, stormPart},
}

// lab is what the parts share.
type lab struct {
	server *redisd.Server
	rdb    *redis.Client
	opt    options
	aims   []aim // in the order of their measurement
}

// options are the flags.
type options struct {
	only    string
	shape   shape
	contest contest
	storm   stormPlan
	role    string // this process is a child of the bench
	socket  string // of a child's Redis
	id      string // of a child's worker
}

func main() {
	o := parseFlags()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	run := runParts
	switch o.role {
	case roleContestant:
		run = runContestant
	case roleWorker:
		run = runStormWorker
	}
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench jobs:", err)
		os.Exit(1)
	}
}

func parseFlags() options {
	var o options
	flag.StringVar(&o.only, "only", "", "run one part: "+strings.Join(partNames(), ", "))
	flag.IntVar(&o.shape.workers, "workers", 20, "workers in one process")
	flag.IntVar(&o.shape.slots, "slots", 1, "handlers at a time of each worker")
	o.contest.flags()
	o.storm.flags()
	flag.StringVar(&o.role, "role", "", "set for the processes that this one starts")
	flag.StringVar(&o.socket, "socket", "", "the same")
	flag.StringVar(&o.id, "id", "", "the same")
	flag.Parse()
	return o
}

func partNames() []string {
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	return names
}

// runParts runs the chosen parts on one server, emptied before each.
func runParts(ctx context.Context, o options) error {
	if o.only != "" && !slices.Contains(partNames(), o.only) {
		return fmt.Errorf("there is no part %q (want %s)", o.only, strings.Join(partNames(), ", "))
	}
	server, err := redisd.Start(ctx)
	if err != nil {
		return err
	}
	defer server.Stop()
	l := &lab{server: server, rdb: dial(server.Socket, 100), opt: o}
	defer func() { _ = l.rdb.Close() }()
	for _, p := range parts {
		if o.only != "" && p.name != o.only {
			continue
		}
		if err := l.runPart(ctx, p); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	printAims(l.aims)
	return nil
}

func (l *lab) runPart(ctx context.Context, p part) error {
	ctx, cancel := context.WithTimeout(ctx, p.limit)
	defer cancel()
	if err := l.rdb.FlushAll(ctx).Err(); err != nil {
		return fmt.Errorf("empty the Redis: %w", err)
	}
	fmt.Printf("== %s\n", p.name)
	return p.run(ctx, l)
}

func dial(socket string, connections int) *redis.Client {
	return redis.NewClient(&redis.Options{
		Network: "unix", Addr: socket, DisableIdentity: true, MaxRetries: -1, PoolSize: connections,
	})
}

// quiet drops what the measured parts log: a slow terminal would be measured too.
func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }
