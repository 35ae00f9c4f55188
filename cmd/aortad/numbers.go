package main

import (
	"context"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/overview"
	"aorta/router/stats"
	"aorta/web/api"
	"aorta/web/live"
)

// appNumbers returns the apps' traffic over time from the stats Redis.
type appNumbers struct {
	s      *stats.Store
	lately *lately
}

func newAppNumbers(s *stats.Store) appNumbers { return appNumbers{s, newLately(s)} }

func (n appNumbers) Series(ctx context.Context, q api.SeriesQuery) ([]api.SeriesPoint, error) {
	found, err := n.s.Series(ctx, stats.Query{App: q.App, Release: q.Release, From: q.From, To: q.To, Step: q.Step})
	if err != nil {
		return nil, statsAway(err)
	}
	points := make([]api.SeriesPoint, len(found))
	for i, p := range found {
		points[i] = api.SeriesPoint{
			Time: p.Time.Unix(), Status: p.Counters.Status, Bytes: p.Counters.Bytes,
			P50: percentile(p.Counters, 50), P95: percentile(p.Counters, 95), P99: percentile(p.Counters, 99),
		}
	}
	return points, nil
}

func (n appNumbers) Recent(ctx context.Context, now time.Time) (map[string]live.Recent, error) {
	found, err := n.lately.read(ctx, now)
	if err != nil {
		return nil, err
	}
	out := make(map[string]live.Recent, len(found))
	for app, r := range found {
		out[app] = live.Recent{
			Seconds: stats.RateSeconds, Requests: r.Last.Requests, Errors: r.Last.Status[5],
			P95: percentile(r.Last, 95), Spark: r.Spark[:],
		}
	}
	return out, nil
}

// Answers says what the releases that serve answered in the last minute, of the apps
// that had errors then; nil while the statistics do not answer.
func (n appNumbers) Answers(ctx context.Context, serving map[cluster.ID]cluster.ID) map[cluster.ID]overview.Answers {
	ctx, cancel := context.WithTimeout(ctx, answersTimeout)
	defer cancel()
	now := time.Now()
	found, err := n.lately.read(ctx, now)
	if err != nil {
		return nil
	}
	failing := map[string]string{}
	for app, release := range serving {
		if found[string(app)].Minute.Errors > 0 {
			failing[string(app)] = string(release)
		}
	}
	if len(failing) == 0 {
		return nil
	}
	minutes, err := n.s.ReleaseMinutes(ctx, now, failing)
	if err != nil {
		return nil
	}
	out := make(map[cluster.ID]overview.Answers, len(minutes))
	for app, answers := range minutes {
		out[cluster.ID(app)] = overview.Answers(answers)
	}
	return out
}

// percentile is nil without traffic.
func percentile(c stats.Counters, p float64) *float64 {
	if ms, ok := c.Percentile(p); ok {
		return &ms
	}
	return nil
}
