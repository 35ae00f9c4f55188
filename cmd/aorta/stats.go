package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"aorta/pacemaker/cluster"
	"aorta/web/client"
	"aorta/web/wire"
)

// liveEvery is how often live numbers are asked for.
const liveEvery = time.Second

func statsCommand(s *session) *cobra.Command {
	var live bool
	var since, release string
	cmd := &cobra.Command{
		Use: "stats", Short: "Show the app's requests, errors and response times", Args: cobra.NoArgs,
		Long: "stats shows totals since the app was made, and percentiles of the last hour unless --since names another window.",
		RunE: s.onApp(func(ctx context.Context, api *client.Client, app string, _ []string) error {
			q, err := statsQuery(since, release)
			if err != nil {
				return err
			}
			if live {
				return s.liveStats(ctx, api, app, q)
			}
			return s.showStats(ctx, api, app, q)
		}),
	}
	cmd.Flags().BoolVar(&live, "live", false, "refresh each second")
	cmd.Flags().StringVar(&release, "release", "", "only this release, such as v12")
	cmd.Flags().StringVar(&since, "since", "", "window of the percentiles, such as 10m (default 1h)")
	return cmd
}

func statsQuery(since, release string) (q client.StatsQuery, err error) {
	if since != "" {
		if q.Since, err = parseSpan(since); err != nil {
			return q, err
		}
	}
	if release != "" {
		q.Release, err = releaseLabel(release)
	}
	return q, err
}

func (s *session) showStats(ctx context.Context, api *client.Client, app string, q client.StatsQuery) error {
	st, err := api.Stats(ctx, app, q)
	if err != nil {
		return err
	}
	if s.flags.json {
		return s.out.json(st)
	}
	return s.out.fields("requests", strconv.FormatInt(st.Requests, 10), "errors", errorShare(st),
		"status", fmt.Sprintf("2xx %d, 3xx %d, 4xx %d, 5xx %d", st.Status["2xx"], st.Status["3xx"], st.Status["4xx"], st.Status["5xx"]),
		"bytes", strconv.FormatInt(st.Bytes, 10), "p50", millis(st.P50), "p95", millis(st.P95), "p99", millis(st.P99))
}

// errorShare is the share of answers of class 5xx.
func errorShare(st wire.Stats) string {
	if st.Requests == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f%%", 100*float64(st.Status["5xx"])/float64(st.Requests))
}

func millis(ms *float64) string {
	if ms == nil {
		return "-"
	}
	return fmt.Sprintf("%.4g ms", *ms)
}

// liveStats asks each second until it is left, also while the pacemaker is
// away: the apps serve on, and so does their counting.
func (s *session) liveStats(ctx context.Context, api *client.Client, app string, q client.StatsQuery) error {
	tick := time.NewTicker(liveEvery)
	defer tick.Stop()
	view := liveView{s: s}
	for {
		st, err := api.Stats(ctx, app, q)
		switch {
		case ctx.Err() != nil:
			view.leave()
			return nil
		case err == nil:
			if err := view.show(st); err != nil {
				return err
			}
		case cluster.CodeOf(err) != cluster.CodeUnavailable || view.at.IsZero():
			return err
		default:
			view.stale(err)
		}
		select {
		case <-ctx.Done():
			view.leave()
			return nil
		case <-tick.C:
		}
	}
}

// liveView is the one line that live numbers take.
type liveView struct {
	s    *session
	last wire.Stats
	at   time.Time // when last was heard; zero before the first
	cut  bool
}

func (v *liveView) show(st wire.Stats) error {
	now := v.s.p.Now()
	rate := "-"
	if d := now.Sub(v.at); !v.at.IsZero() && d > 0 {
		rate = fmt.Sprintf("%.1f", float64(st.Requests-v.last.Requests)/d.Seconds())
	}
	v.last, v.at, v.cut = st, now, false
	if v.s.flags.json {
		return v.s.out.jsonLine(st)
	}
	v.print(fmt.Sprintf("%s  %s requests/s  %d requests  errors %s  p50 %s  p95 %s  p99 %s", now.Format(time.TimeOnly),
		rate, st.Requests, errorShare(st), millis(st.P50), millis(st.P95), millis(st.P99)))
	return nil
}

// print puts a line in the place of the last one on a terminal, and after it
// elsewhere.
func (v *liveView) print(text string) {
	if v.s.out.terminal {
		fmt.Fprintf(v.s.out.w, "\r\x1b[K%s", text)
		return
	}
	v.s.out.line("%s", text)
}

func (v *liveView) stale(err error) {
	if !v.cut {
		v.leave()
		v.s.err.line("as of %s: %s", v.at.Format(time.TimeOnly), cleanBlock(err.Error()))
	}
	v.cut = true
}

func (v *liveView) leave() {
	if v.s.out.terminal && !v.at.IsZero() && !v.s.flags.json {
		v.s.out.line("")
	}
}
