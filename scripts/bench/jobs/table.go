package main

import (
	"fmt"
	"os"
	"slices"
	"text/tabwriter"
	"time"
)

// row is one measure of the comparison; ratios are made of its value.
type row struct {
	name  string
	value func(*contestant) float64
	text  func(float64) string
}

var rows = []row{
	{"enqueue to start, idle, p50", func(c *contestant) float64 { return c.start(50) }, asDuration},
	{"enqueue to start, idle, p99", func(c *contestant) float64 { return c.start(99) }, asDuration},
	{"single jobs a second", func(c *contestant) float64 { return c.median(func(r result) float64 { return r.Rate }) }, asCount},
	{"CPU s per 1,000 jobs", func(c *contestant) float64 { return c.median(func(r result) float64 { return r.PerThousand.total() }) }, asSeconds},
	{"  of the process", func(c *contestant) float64 { return c.median(func(r result) float64 { return r.PerThousand.Process }) }, asSeconds},
	{"  of Redis", func(c *contestant) float64 { return c.median(func(r result) float64 { return r.PerThousand.Redis }) }, asSeconds},
	{"idle, % of a core", func(c *contestant) float64 { return c.median(func(r result) float64 { return r.Idle.total() }) }, asPercent},
	{"  of the process", func(c *contestant) float64 { return c.median(func(r result) float64 { return r.Idle.Process }) }, asPercent},
	{"  of Redis", func(c *contestant) float64 { return c.median(func(r result) float64 { return r.Idle.Redis }) }, asPercent},
}

func asDuration(v float64) string { return fmt.Sprintf("%.2f ms", v/1e6) }
func asCount(v float64) string    { return fmt.Sprintf("%.0f", v) }
func asSeconds(v float64) string  { return fmt.Sprintf("%.3f", v) }
func asPercent(v float64) string  { return fmt.Sprintf("%.2f", v) }

// printContest sets the others beside the first, with how many times its figure
// theirs is.
func printContest(all []*contestant, c contest) {
	fmt.Printf("one process each, %d slots, %d producers, %d rounds in turn; medians of the rounds, latencies of all %d probes\n",
		c.slots, producers, c.rounds, c.rounds*c.probes)
	fmt.Printf("asynq as its documentation sets it up; \"asynq %s\" with TaskCheckInterval lowered to that;\nin brackets: how many times aorta's figure\n", c.poll)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', 0)
	line := ""
	for _, who := range all {
		line += "\t" + who.name
	}
	_, _ = fmt.Fprintln(w, line)
	for _, r := range rows {
		line := r.name
		first := r.value(all[0])
		for i, who := range all {
			v := r.value(who)
			line += "\t" + r.text(v)
			if i > 0 {
				line += fmt.Sprintf(" (x %.*f)", decimals(v/first), v/first)
			}
		}
		_, _ = fmt.Fprintln(w, line)
	}
	_ = w.Flush()
}

// decimals are as many as a ratio of this size is worth.
func decimals(ratio float64) int {
	if ratio >= 10 {
		return 0
	}
	return 2
}

// start is a quantile over the probes of all rounds, in nanoseconds.
func (c *contestant) start(percent int) float64 {
	var all []time.Duration
	for _, r := range c.results {
		all = append(all, r.Starts...)
	}
	slices.Sort(all)
	return float64(quantile(all, percent))
}

func (c *contestant) median(of func(result) float64) float64 {
	var all []float64
	for _, r := range c.results {
		all = append(all, of(r))
	}
	slices.Sort(all)
	return all[len(all)/2]
}
