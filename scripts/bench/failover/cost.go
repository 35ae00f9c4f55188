package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"aorta/internal/pause"
	"aorta/internal/testkit/lab"
)

// lost is the host that loses its power, and steady for how long all is well before.
const (
	lost   = "n3"
	steady = 5 * time.Second
)

// contest is what both have to stand.
type contest struct {
	rate  int // requests a second, half of them POST
	watch time.Duration
}

// hold loses the host under load that goes through the routers of the others.
func (c contest) hold(ctx context.Context, l *lab.Lab) (cost, error) {
	victim, err := l.Host(lost)
	if err != nil {
		return cost{}, err
	}
	via := slices.DeleteFunc(slices.Clone(l.Hosts), func(h *lab.Host) bool { return h == victim })
	var tallies [2]*lab.Tally
	var all errgroup.Group
	for i := range tallies {
		all.Go(func() (err error) {
			tallies[i], err = lab.Load{App: app, Rate: c.rate / 2, For: steady + c.watch, Via: via, Post: i == 1}.Run(ctx, l)
			return err
		})
	}
	pause.For(ctx, steady)
	struck := time.Now()
	err = victim.Kill(ctx)
	if more := all.Wait(); err == nil {
		err = more
	}
	if err != nil {
		return cost{}, err
	}
	return costOf(struck, tallies[0].Answers, tallies[1].Answers), ctx.Err()
}

// cost is what the loss cost. Times count from the loss.
type cost struct {
	gets, posts int           // that failed
	sent        int           // of each
	well        time.Duration // when the last one failed that did
	full        time.Duration // when an instance answered that had not before; 0: never
	slowest     time.Duration // of the answers to what was sent after the loss
}

func costOf(struck time.Time, gets, posts []lab.Answer) cost {
	c := cost{sent: len(gets)}
	before := map[string]bool{}
	for _, a := range slices.Concat(gets, posts) {
		if a.OK && a.Sent.Before(struck) {
			before[a.By] = true
		}
	}
	for _, a := range slices.Concat(gets, posts) {
		after := a.End().Sub(struck)
		switch {
		case !a.OK && a.Post:
			c.posts++
		case !a.OK:
			c.gets++
		case !before[a.By] && (c.full == 0 || after < c.full):
			c.full = after
		}
		if !a.OK {
			c.well = max(c.well, after)
		}
		if a.OK && a.Sent.After(struck) {
			c.slowest = max(c.slowest, a.Took)
		}
	}
	return c
}

func (c cost) String() string {
	return fmt.Sprintf("of %d each, %d GET and %d POST failed, the last after %.1f s; three instances answer after %.1f s; slowest answer %d ms",
		c.sent, c.gets, c.posts, c.well.Seconds(), c.full.Seconds(), c.slowest.Milliseconds())
}

const head = "| | GET failed | POST failed | the last one failed after | three instances answered again after | slowest answer |\n|---|---|---|---|---|---|\n"

// line has the medians, and from where to where the runs reach.
func line(name string, costs []cost) string {
	count := func(of func(cost) int) string {
		all := sorted(costs, of)
		return fmt.Sprintf("%d (%d … %d) of %d", all[len(all)/2], all[0], all[len(all)-1], costs[0].sent)
	}
	span := func(of func(cost) time.Duration) string {
		all := sorted(costs, of)
		return fmt.Sprintf("%.1f s (%.1f … %.1f)", all[len(all)/2].Seconds(), all[0].Seconds(), all[len(all)-1].Seconds())
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s |", name,
		count(func(c cost) int { return c.gets }), count(func(c cost) int { return c.posts }),
		span(func(c cost) time.Duration { return c.well }), span(func(c cost) time.Duration { return c.full }),
		span(func(c cost) time.Duration { return c.slowest }))
}

func sorted[T int | time.Duration](costs []cost, of func(cost) T) []T {
	var all []T
	for _, c := range costs {
		all = append(all, of(c))
	}
	slices.Sort(all)
	return all
}
