package main

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"aorta/internal/duration"
	"aorta/pacemaker/cluster"
	"aorta/web/client"
	"aorta/web/wire"
)

// liveInterval is how often live numbers are refreshed.
const liveInterval = time.Second

func statsCommand(s *session) *cobra.Command {
	var live bool
	var since, release string
	cmd := &cobra.Command{
		Use: "stats", Short: "Show the app's requests, error rate and response times", Args: takes(),
		Long: "stats shows the requests of the last hour, or of --since, with their error rate\nand response times, and below the totals since the app was created.",
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
	cmd.Flags().BoolVar(&live, "live", false, "refresh every second")
	cmd.Flags().StringVar(&release, "release", "", "only this release, such as v12")
	_ = cmd.RegisterFlagCompletionFunc("release", s.completeReleases())
	cmd.Flags().StringVar(&since, "since", "", "time range, such as 10m or 7d (default 1h)")
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
	w := st.Window
	s.out.line("last %s", windowText(w.Seconds))
	if err := s.out.fields(append(counts(w.Requests, w.Bytes, w.Status), "  p50", millis(st.P50), "  p95", millis(st.P95), "  p99", millis(st.P99))...); err != nil {
		return err
	}
	s.out.line("since %s was created", orText(st.Release, "the app"))
	return s.out.fields(counts(st.Requests, st.Bytes, st.Status)...)
}

// counts are the numbers of a time, as fields below its heading.
func counts(requests, sent int64, status map[string]int64) []string {
	return []string{
		"  requests", strconv.FormatInt(requests, 10), "  error rate", errorShare(requests, status["5xx"]),
		"  status", fmt.Sprintf("2xx %d, 3xx %d, 4xx %d, 5xx %d", status["2xx"], status["3xx"], status["4xx"], status["5xx"]), "  sent", volume(sent),
	}
}

// windowText is a length as people give it to --since.
func windowText(seconds float64) string {
	const day = 24 * time.Hour
	if d := time.Duration(seconds * float64(time.Second)); d < 2*day || d%day != 0 {
		return duration.Text(d)
	}
	return fmt.Sprintf("%.0fd", seconds/day.Seconds())
}

// errorShare is the share of 5xx responses.
func errorShare(requests, errors int64) string {
	if requests == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f%%", 100*float64(errors)/float64(requests))
}

// millis formats milliseconds in the unit that people use for that length.
func millis(ms *float64) string {
	if ms == nil {
		return "-"
	}
	switch v := *ms; {
	case v < 9.95:
		return fmt.Sprintf("%.1f ms", v)
	case v < 999.5:
		return fmt.Sprintf("%.0f ms", v)
	case v < 59_950:
		return fmt.Sprintf("%.1f s", v/1000)
	}
	s := int(math.Round(*ms / 1000))
	return fmt.Sprintf("%d min %d s", s/60, s%60)
}

// volume formats bytes sent over the network, in powers of 1000.
func volume(n int64) string {
	v, unit := float64(n), "B"
	for _, larger := range []string{"kB", "MB", "GB", "TB"} {
		if v < 1000 {
			break
		}
		v, unit = v/1000, larger
	}
	if unit == "B" || v >= 10 {
		return fmt.Sprintf("%.0f %s", v, unit)
	}
	return fmt.Sprintf("%.1f %s", v, unit)
}

// liveStats refreshes every second until ctx ends, also while the pacemaker is
// away: apps go on serving and requests are still counted.
func (s *session) liveStats(ctx context.Context, api *client.Client, app string, q client.StatsQuery) error {
	tick := time.NewTicker(liveInterval)
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

// liveView is the line with the live numbers.
type liveView struct {
	s    *session
	last wire.Stats
	at   time.Time // when last was received; zero before the first
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
	w := st.Window
	v.print(fmt.Sprintf("%s  %s/s  last %s: %d requests, errors %s, p50 %s, p95 %s, p99 %s", now.Format(time.TimeOnly),
		rate, windowText(w.Seconds), w.Requests, errorShare(w.Requests, w.Status["5xx"]), millis(st.P50), millis(st.P95), millis(st.P99)))
	return nil
}

// print replaces the line on a terminal, and appends one elsewhere.
func (v *liveView) print(text string) {
	if v.s.out.terminal {
		if v.s.out.width > 0 { // a longer line could not be printed over
			text = cut(text, v.s.out.width)
		}
		fmt.Fprintf(v.s.out.w, "\r\x1b[K%s", text)
		return
	}
	v.s.out.line("%s", text)
}

func (v *liveView) stale(err error) {
	if !v.cut {
		v.leave()
		v.s.err.line("no new numbers since %s: %s", v.at.Format(time.TimeOnly), cleanBlock(err.Error()))
	}
	v.cut = true
}

func (v *liveView) leave() {
	if v.s.out.terminal && !v.at.IsZero() && !v.s.flags.json {
		v.s.out.line("")
	}
}
