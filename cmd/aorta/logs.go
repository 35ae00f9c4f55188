package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"aorta/pacemaker/cluster"
	"aorta/web/client"
	"aorta/web/wire"
)

func logsCommand(s *session) *cobra.Command {
	var q client.LogQuery
	var follow bool
	cmd := &cobra.Command{
		Use: "logs", Short: "Show the app's log, across releases and nodes", Args: cobra.NoArgs,
		RunE: s.onApp(func(ctx context.Context, api *client.Client, app string, _ []string) error {
			if err := s.checkLogQuery(ctx, api, app, &q); err != nil {
				return err
			}
			if follow {
				return s.followLogs(ctx, api, app, q)
			}
			return s.showLogs(ctx, api, app, q)
		}),
	}
	f := cmd.Flags()
	f.BoolVarP(&follow, "follow", "f", false, "go on with each new line")
	f.IntVarP(&q.Lines, "lines", "n", 100, "the newest so many lines")
	f.StringVarP(&q.Type, "process", "p", "", "only this process type, such as web")
	f.StringVarP(&q.Instance, "instance", "i", "", "only this instance")
	f.StringVar(&q.Since, "since", "", "only since then: 2h, or a time such as 2026-01-02T15:04:05Z")
	f.StringVar(&q.Search, "search", "", "only lines that hold this text")
	return cmd
}

func (s *session) checkLogQuery(ctx context.Context, api *client.Client, app string, q *client.LogQuery) error {
	if q.Lines < 1 {
		return usagef("-n %d: at least one line", q.Lines)
	}
	since, err := parseSince(q.Since)
	if err != nil {
		return err
	}
	q.Since = since
	if q.Type != "" {
		if err := cluster.ValidateName("process", q.Type); err != nil {
			return err
		}
	}
	if q.Instance != "" {
		q.Instance, err = s.findInstance(ctx, api, app, q.Instance)
	}
	return err
}

func (s *session) showLogs(ctx context.Context, api *client.Client, app string, q client.LogQuery) error {
	lines, err := api.Logs(ctx, app, q)
	if err != nil {
		return err
	}
	if s.flags.json {
		return list(s.out, lines)
	}
	for _, l := range lines {
		s.printLogLine(l)
	}
	return nil
}

func (s *session) followLogs(ctx context.Context, api *client.Client, app string, q client.LogQuery) error {
	err := api.FollowLogs(ctx, app, q, client.LogFeed{
		Line: func(l wire.LogLine) error {
			if s.flags.json {
				return s.out.jsonLine(l)
			}
			s.printLogLine(l)
			return nil
		},
		Missed: func(n int) { s.err.line("%d lines were too fast and are left out here; aorta logs -n shows them", n) },
	})
	if errors.Is(err, context.Canceled) {
		return nil // leaving is how a follower ends
	}
	return err
}

// logTime is the reader's own zone, to the millisecond.
const logTime = "2006-01-02T15:04:05.000Z07:00"

func (s *session) printLogLine(l wire.LogLine) {
	head := l.Time.Local().Format(logTime) + " " + clean(l.Release) + " " + clean(instanceName(l.Type, l.Instance))
	s.out.line("%s %s", s.out.paint(muted, head), s.out.cleanLog(l.Text))
}
