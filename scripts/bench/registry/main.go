// Command registry measures how a heart takes an image from the cluster's registry, by
// its own loopback and TLS on both ends, beside a `docker pull` of the same image from
// the same library without anything before it, in turns on one engine. It also fills a
// registry with a gigabyte and measures what memory the daemon's end takes while all of
// it is taken.
//
// It is a yardstick for changes, not a test: it asserts nothing.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"time"
)

const megabyte = 1 << 20

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) == 3 && os.Args[1] == serveCommand {
		exit(serve(ctx, os.Args[2]))
	}
	host := flag.String("docker-host", os.Getenv("DOCKER_HOST"), "address of the Docker engine")
	size := flag.Int("size", 100, "megabytes of the image that is pulled")
	rounds := flag.Int("rounds", 5, "how often each way pulls it")
	stock := flag.Int("stock", 1024, "megabytes of the registry whose memory is measured")
	flag.Parse()
	exit(run(ctx, *host, *size, *rounds, *stock))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench registry:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func run(ctx context.Context, host string, size, rounds, stock int) (err error) {
	dir, err := os.MkdirTemp("", "aorta-registry")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	r, err := begin(ctx, dir, host)
	if err != nil {
		return err
	}
	defer r.end()
	if err := r.pulls(ctx, size, rounds); err != nil {
		return err
	}
	return r.memory(ctx, stock)
}

// pulls takes the same image in both ways in turns: what the machine does besides
// meets both.
func (r *rig) pulls(ctx context.Context, size, rounds int) error {
	img, err := r.image(ctx, size)
	if err != nil {
		return err
	}
	var ours, bare []time.Duration
	for n := range rounds + 1 {
		one, err := r.timed(ctx, img, r.byHeart)
		if err != nil {
			return err
		}
		other, err := r.timed(ctx, img, r.byEngine)
		if err != nil {
			return err
		}
		if n > 0 { // the first of each warms the caches
			ours, bare = append(ours, one), append(bare, other)
		}
	}
	fmt.Printf("an image of %d MB, %d pulls of each kind in turns\n", size, rounds)
	row("by a heart", "%s", spread(ours))
	row("docker pull", "%s", spread(bare))
	row("ratio of the medians", "%.2f", median(ours).Seconds()/median(bare).Seconds())
	return nil
}

func row(name, format string, values ...any) {
	fmt.Printf("  %-36s "+format+"\n", append([]any{name}, values...)...)
}

func spread(all []time.Duration) string {
	return fmt.Sprintf("%.2f s (%.2f … %.2f)", median(all).Seconds(), slices.Min(all).Seconds(), slices.Max(all).Seconds())
}

func median(all []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(all))[len(all)/2]
}
