// Command logs measures the way of a line from a container to `aorta logs -f` for
// its last line, and to the log store for all, since the client passes over what
// comes too fast to print: how many arrive a second, whether each arrives once and in order, what they cost
// the daemon, and how late one is. scripts/bench-logs.sh starts the cluster and
// the app, scripts/bench/logs/printer, that it measures with.
//
// It is a yardstick for changes, not a test: it asserts nothing.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	var b bench
	flag.StringVar(&b.cli, "cli", "bin/aorta", "the client")
	flag.StringVar(&b.app, "app", "printer", "the app that prints")
	flag.StringVar(&b.router, "router", "", "where the router listens, host:port")
	flag.StringVar(&b.host, "host", "", "the app's host")
	flag.StringVar(&b.store, "store", "", "directory of the log store")
	flag.IntVar(&b.pid, "pid", 0, "process id of the daemon")
	rate := flag.Int("rate", 50_000, "lines a second")
	seconds := flag.Int("seconds", 10, "how long each measurement prints")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute+10*time.Duration(*seconds)*time.Second)
	defer cancel()
	if err := b.measure(ctx, *rate, *seconds); err != nil {
		fmt.Fprintln(os.Stderr, "bench logs:", err)
		os.Exit(1)
	}
}

// measure prints a table of a flood and of a trickle.
func (b *bench) measure(ctx context.Context, rate, seconds int) error {
	last := fmt.Sprintf("line %d ", rate*seconds-1)
	flood, err := b.run(ctx, rate, seconds, "--search", last)
	if err != nil {
		return err
	}
	kept, err := b.kept(ctx)
	if err != nil {
		return err
	}
	calm, err := b.run(ctx, 100, seconds)
	if err != nil {
		return err
	}
	fmt.Printf("%d lines of 100 bytes, %d/s asked for, %d s\n", flood.total, rate, seconds)
	row := func(name, format string, values ...any) {
		fmt.Printf("  %-28s "+format+"\n", append([]any{name}, values...)...)
	}
	row("printed", "%.0f lines/s", flood.per(flood.printed))
	row("arrived in the log", "%.0f lines/s", flood.per(flood.arrived))
	row("lost", "%d", flood.total-len(kept.seen))
	row("doubled", "%d", kept.doubled)
	row("out of order", "%d", kept.disordered)
	row("CPU of the daemon", "%.2f s per 100,000 lines", flood.cpu.Seconds()*100_000/float64(flood.total))
	row("a line at 100/s is late by", "%d ms (p50), %d ms (p99)", calm.late(50).Milliseconds(), calm.late(99).Milliseconds())
	return nil
}
