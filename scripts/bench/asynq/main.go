// Command asynq measures asynq on a Redis that is given to it, in the way in
// which the job trees are measured, and prints the figures as JSON. It is a
// module of its own, so that nothing else depends on asynq.
//
// The server is set up as asynq's documentation does, with Concurrency alone.
// The one other setting is a flag: TaskCheckInterval, how long an idle server
// waits between two looks at its queues.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/redis/go-redis/v9"
)

// options are the flags.
type options struct {
	socket  string
	slots   int
	poll    time.Duration // 0: asynq's own choice
	probes  int
	gap     time.Duration
	singles int
	span    time.Duration
}

// result is what a contestant prints.
type result struct {
	Starts      []time.Duration `json:"starts"`       // from enqueuing to the handler, nanoseconds
	Rate        float64         `json:"rate"`         // single jobs a second
	PerThousand cost            `json:"per_thousand"` // seconds of CPU per 1,000 of these jobs
	Idle        cost            `json:"idle"`         // percent of a core
}

func main() {
	var o options
	flag.StringVar(&o.socket, "socket", "", "unix socket of the Redis")
	flag.IntVar(&o.slots, "slots", 20, "handlers at a time")
	flag.DurationVar(&o.poll, "poll", 0, "TaskCheckInterval; 0 leaves the default")
	flag.IntVar(&o.probes, "probes", 100, "jobs whose start is timed, one by one")
	flag.DurationVar(&o.gap, "gap", 100*time.Millisecond, "time between two probes, on average")
	flag.IntVar(&o.singles, "singles", 10000, "jobs of the throughput measure")
	flag.DurationVar(&o.span, "span", 10*time.Second, "time for which the idle cost is measured")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench asynq:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	rdb := redis.NewClient(&redis.Options{Network: "unix", Addr: o.socket})
	defer func() { _ = rdb.Close() }()
	r, err := startRig(ctx, o)
	if err != nil {
		return err
	}
	defer r.stop()
	var out result
	if out.Starts, err = r.latency(ctx, o.probes, o.gap); err != nil {
		return fmt.Errorf("measure the latency: %w", err)
	}
	used, err := during(ctx, rdb, func() (err error) {
		out.Rate, err = r.rate(ctx, o.singles)
		return err
	})
	if err != nil {
		return fmt.Errorf("measure the throughput: %w", err)
	}
	out.PerThousand = used.times(1000 / float64(o.singles))
	used, err = during(ctx, rdb, func() error { return wait(ctx, o.span) })
	if err != nil {
		return fmt.Errorf("measure the idle cost: %w", err)
	}
	out.Idle = used.times(100 / o.span.Seconds())
	return json.NewEncoder(os.Stdout).Encode(out)
}
