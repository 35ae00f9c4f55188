package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"aorta/pacemaker/cluster"
	"aorta/web/client"
	"aorta/web/wire"
)

// mostLogLines is how many lines the API gives at a time.
const mostLogLines = 10_000

func logsCommand(s *session) *cobra.Command {
	var q client.LogQuery
	var follow bool
	cmd := &cobra.Command{Use: "logs", Short: "Show the app's logs, across releases and nodes", Args: logArguments}
	cmd.RunE = s.onApp(func(ctx context.Context, api *client.Client, app string, _ []string) error {
		if !cmd.Flags().Changed("lines") && !cmd.Flags().Changed("num") && q.Since != "" {
			q.Lines = mostLogLines // all since then, and none of the others
		}
		if err := checkLogQuery(&q, s.p.Now()); err != nil {
			return err
		}
		if follow && q.Until != "" {
			return usagef("-f goes on without an end: leave out --until, or -f")
		}
		if follow {
			return s.followLogs(ctx, api, app, q)
		}
		return s.showLogs(ctx, api, app, q)
	})
	f := cmd.Flags()
	f.BoolVarP(&follow, "follow", "f", false, "keep printing new lines")
	f.IntVarP(&q.Lines, "lines", "n", 100, fmt.Sprintf("number of lines, the newest; with --since all, %d at most", mostLogLines))
	f.StringVarP(&q.Type, "process", "p", "", "only this process type, such as web")
	f.StringVarP(&q.Instance, "instance", "i", "", "only this instance, such as web.1a2b3c4d, also one that has ended")
	f.StringVar(&q.Since, "since", "", "only lines since then: 2h, or a time such as 15:04 or 2026-01-02T15:04:05Z")
	f.StringVar(&q.Until, "until", "", "only lines before then, as with --since")
	f.StringVar(&q.Search, "search", "", "only lines that contain this text")
	_ = cmd.RegisterFlagCompletionFunc("process", s.completeTypes())
	_ = cmd.RegisterFlagCompletionFunc("instance", s.completeInstances())
	// As other platforms call them.
	f.BoolVarP(&follow, "tail", "t", false, "as --follow")
	f.IntVar(&q.Lines, "num", 100, "as --lines")
	f.StringVar(&q.Type, "ps", "", "as --process")
	f.StringVar(&q.Search, "grep", "", "as --search")
	for _, name := range []string{"tail", "num", "ps", "grep"} {
		f.Lookup(name).Hidden = true
	}
	return cmd
}

// logArguments refuses all of them. Elsewhere --tail takes a number of lines.
func logArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 1 && cmd.Flags().Changed("tail") {
		if n, err := strconv.Atoi(args[0]); err == nil {
			return fmt.Errorf("%s takes a number of lines by -n: aorta logs -n %d; -f keeps printing new ones", cmd.CommandPath(), n)
		}
	}
	return takes()(cmd, args)
}

func checkLogQuery(q *client.LogQuery, now time.Time) error {
	if q.Lines < 1 || q.Lines > mostLogLines {
		return usagef("-n must be between 1 and %d, not %d; earlier lines: --until", mostLogLines, q.Lines)
	}
	var err error
	if q.Since, err = parseSince(q.Since, now); err != nil {
		return err
	}
	if q.Until, err = parseSince(q.Until, now); err != nil {
		return err
	}
	if q.Type != "" {
		return cluster.ValidateName("process", q.Type)
	}
	return nil
}

func (s *session) showLogs(ctx context.Context, api *client.Client, app string, q client.LogQuery) error {
	lines, err := api.Logs(ctx, app, q)
	if err != nil {
		return err
	}
	if len(lines) == mostLogLines {
		s.err.line("these are the newest %d lines, and there may be more; see the earlier ones with --until %s", mostLogLines, lines[0].Time.UTC().Format(time.RFC3339Nano))
	}
	if s.flags.json {
		return list(s.out, lines)
	}
	if len(lines) == 0 {
		s.err.line("%s", noLines(app, q))
	}
	for _, l := range lines {
		s.printLogLine(l)
	}
	return nil
}

// noLines says that there is nothing to show, and whether a filter may be why.
func noLines(app string, q client.LogQuery) string {
	if q.Type+q.Instance+q.Since+q.Until+q.Search == "" {
		return app + " has written nothing yet"
	}
	return "no line of " + app + " matches; all of them: aorta logs -a " + app
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
		Missed: func(n int) {
			s.err.line("skipped %d lines that came too fast to print; see them with aorta logs -n", n)
		},
	})
	if errors.Is(err, context.Canceled) {
		return nil // Ctrl-C is how following ends
	}
	return err
}

// logTime is printed in the local time zone, to the millisecond.
const logTime = "2006-01-02T15:04:05.000Z07:00"

func (s *session) printLogLine(l wire.LogLine) {
	head := l.Time.Local().Format(logTime) + " " + clean(l.Release) + " " + clean(instanceName(l.Type, l.Instance))
	s.out.line("%s %s", s.out.paint(muted, head), s.out.cleanLog(l.Text))
}
