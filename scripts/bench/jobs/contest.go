package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// roleContestant is the role of a process that measures the job trees and prints
// the figures.
const roleContestant = "contestant"

// contest is the workload of the comparison, the same for all.
type contest struct {
	rounds  int
	slots   int
	poll    time.Duration
	probes  int
	gap     time.Duration
	singles int
	span    time.Duration
}

func (c *contest) flags() {
	c.slots = 20
	flag.IntVar(&c.rounds, "rounds", 3, "of the comparison")
	flag.DurationVar(&c.poll, "poll", 2*time.Millisecond, "asynq's TaskCheckInterval when it is lowered")
	flag.IntVar(&c.probes, "probes", 100, "of the comparison, a round: jobs whose start is timed")
	flag.DurationVar(&c.gap, "gap", 100*time.Millisecond, "of the comparison: time between two probes, on average")
	flag.IntVar(&c.singles, "singles", 30000, "of the comparison, a round: jobs of the throughput measure")
	flag.DurationVar(&c.span, "span", 10*time.Second, "of the comparison, a round: time of the idle measure")
}

// args tell a contestant the workload.
func (c *contest) args(socket string) []string {
	return []string{
		"-socket", socket, "-slots", strconv.Itoa(c.slots), "-probes", strconv.Itoa(c.probes),
		"-gap", c.gap.String(), "-singles", strconv.Itoa(c.singles), "-span", c.span.String(),
	}
}

// result is what a contestant prints.
type result struct {
	Starts      []time.Duration `json:"starts"`       // from enqueuing to the handler, nanoseconds
	Rate        float64         `json:"rate"`         // single jobs a second
	PerThousand cost            `json:"per_thousand"` // seconds of CPU per 1,000 of these jobs
	Idle        cost            `json:"idle"`         // percent of a core
}

// contestant is a program with its results, one a round.
type contestant struct {
	name    string
	argv    []string
	results []result
}

// runContestant measures this program's own jobs: one keeper and one worker.
func runContestant(ctx context.Context, o options) error {
	rdb := dial(o.socket, 100)
	defer func() { _ = rdb.Close() }()
	r, err := startRig(ctx, rdb, o.shape)
	if err != nil {
		return err
	}
	defer r.stop()
	var out result
	c := o.contest
	if out.Starts, err = r.latency(ctx, c.probes, c.gap); err != nil {
		return fmt.Errorf("measure the latency: %w", err)
	}
	used, err := during(ctx, rdb, func() (err error) {
		out.Rate, err = r.rate(ctx, c.singles, single)
		return err
	})
	if err != nil {
		return fmt.Errorf("measure the throughput: %w", err)
	}
	out.PerThousand = used.times(1000 / float64(c.singles))
	if out.Idle, err = r.idle(ctx, c.span); err != nil {
		return fmt.Errorf("measure the idle cost: %w", err)
	}
	return json.NewEncoder(os.Stdout).Encode(out)
}

// asynqPart lets the contestants measure themselves in turn on one server.
func asynqPart(ctx context.Context, l *lab) error {
	c := l.opt.contest
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	all := []*contestant{{name: "aorta", argv: []string{self, "-role", roleContestant, "-workers", "1"}}}
	dir, err := os.MkdirTemp("", "ab")
	if err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if program, err := buildAsynq(ctx, dir); err != nil {
		fmt.Printf("asynq is left out: %v\n", err)
	} else {
		all = append(all,
			&contestant{name: "asynq", argv: []string{program}},
			&contestant{name: "asynq " + c.poll.String(), argv: []string{program, "-poll", c.poll.String()}})
	}
	for i := range c.rounds {
		for _, who := range all {
			if err := l.compete(ctx, who); err != nil {
				return fmt.Errorf("round %d of %s: %w", i+1, who.name, err)
			}
		}
	}
	printContest(all, c)
	return nil
}

// asynqFolder is a module of its own, below the root of this one.
const asynqFolder = "scripts/bench/asynq"

// buildAsynq needs the network the first time.
func buildAsynq(ctx context.Context, dir string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	program := filepath.Join(dir, "asynq")
	out, err := exec.CommandContext(ctx, "go", "build", "-C", asynqFolder, "-o", program, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build %s (is the network away, or this not the repository's root?): %w\n%s", asynqFolder, err, out)
	}
	return program, nil
}

func (l *lab) compete(ctx context.Context, who *contestant) error {
	if err := l.rdb.FlushAll(ctx).Err(); err != nil {
		return fmt.Errorf("empty the Redis: %w", err)
	}
	cmd := exec.CommandContext(ctx, who.argv[0], append(who.argv[1:], l.opt.contest.args(l.server.Socket)...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	if err := runChild(cmd); err != nil {
		return err
	}
	var r result
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		return fmt.Errorf("read its figures: %w", err)
	}
	who.results = append(who.results, r)
	return nil
}
