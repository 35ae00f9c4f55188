// Command router measures the router against a static nginx that writes the
// same access log: 10,000 hosts with three instances each, wrk on loopback, in
// interleaved rounds, medians; then bodies of 2 GB down and up. Only the ratios within one run mean anything on
// a shared machine.
//
// It starts a Redis, three nginx and wrk on loopback, keeps everything in one
// temporary directory, and ends and removes it all. Everything shares the
// machine's processors.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"time"
)

type options struct {
	hosts, instances, rounds, connections int
	slice                                 time.Duration
	large                                 int64 // bytes
	largeRounds                           int
	buffered                              bool
}

func main() {
	var o options
	flag.IntVar(&o.hosts, "hosts", 10000, "host names in the table")
	flag.IntVar(&o.instances, "instances", 3, "instances of each host")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds of each variant")
	flag.IntVar(&o.connections, "connections", 64, "client connections")
	flag.DurationVar(&o.slice, "slice", 2*time.Second, "length of a round")
	flag.Int64Var(&o.large, "large", 2_000_000_000, "bytes of a large body")
	flag.IntVar(&o.largeRounds, "large-rounds", 5, "large bodies through each, down and up; 0 for none")
	flag.BoolVar(&o.buffered, "buffered", true, "buffer the access log for 200 ms")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		slog.Error("the benchmark failed", "err", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	lab, err := openLab(ctx, o)
	if lab != nil {
		defer lab.close()
	}
	if err != nil {
		return err
	}
	variants := []variant{{name: "static", url: lab.staticURL}, {name: "router", url: lab.routerURL}}
	// One unmeasured round each: connections, caches, compiled traces.
	for i := range variants {
		if _, err := lab.load(ctx, variants[i].url, time.Second); err != nil {
			return err
		}
	}
	for round := range o.rounds {
		for i := range variants {
			r, err := lab.load(ctx, variants[i].url, o.slice)
			if err != nil {
				return err
			}
			variants[i].results = append(variants[i].results, r)
			fmt.Printf("round %d  %-7s %8.0f req/s  p99 %6.2f ms  %5.1f us/request of the proxy  errors %d\n",
				round+1, variants[i].name, r.rate, r.p99, r.cpu, r.errors)
		}
	}
	report(variants[0], variants[1])
	if o.largeRounds > 0 {
		return lab.large(ctx, o)
	}
	return nil
}

// variant is one proxy under load.
type variant struct {
	name, url string
	results   []result
}

func (v variant) median(of func(result) float64) float64 {
	values := make([]float64, len(v.results))
	for i, r := range v.results {
		values[i] = of(r)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// paired compares each round with its neighbour, which was measured under the
// same foreign load.
func paired(static, router variant, of func(result) float64) float64 {
	ratios := make([]float64, len(static.results))
	for i := range ratios {
		ratios[i] = of(router.results[i]) / of(static.results[i])
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

func report(static, router variant) {
	rate := func(r result) float64 { return r.rate }
	p99 := func(r result) float64 { return r.p99 }
	cpu := func(r result) float64 { return r.cpu }
	errors := 0
	for _, r := range append(slices.Clone(static.results), router.results...) {
		errors += r.errors
	}
	fmt.Printf("router/static ratio %.3f (requests per second, median of the rounds' ratios)\n", paired(static, router, rate))
	fmt.Printf("static/router ratio %.3f (processor time of the proxy per request, likewise)\n", 1/paired(static, router, cpu))
	fmt.Printf("p99 ratio           %.2f\n", router.median(p99)/static.median(p99))
	fmt.Printf("failed requests     %d\n", errors)
}
