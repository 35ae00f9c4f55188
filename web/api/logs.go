package api

import (
	"context"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/logstore"
	"aorta/web/wire"
)

// LogQuery chooses lines of an app's log.
type LogQuery struct {
	N        int    `query:"n" minimum:"0" maximum:"10000" default:"100" doc:"how many of the newest lines"`
	Type     string `query:"type" maxLength:"40" doc:"process type"`
	Instance string `query:"instance" maxLength:"40" doc:"instance id"`
	Since    string `query:"since" maxLength:"40" doc:"a time (RFC 3339), or how long ago, such as 2h"`
	Search   string `query:"search" maxLength:"200" doc:"text in the line, upper and lower case alike"`
}

type readLogs struct {
	AppPath
	LogQuery
}

type followLogs struct {
	AppPath
	LogQuery
	Last string `header:"Last-Event-ID" maxLength:"40"`
}

func (a *API) logRoutes(h huma.API) {
	register(h, a, route{method: get, path: "/apps/{app}/logs", summary: "Read logs", policy: viewers}, a.readLogs)
	register(h, a, route{method: get, path: "/apps/{app}/logs/stream", summary: "Follow logs (Server-Sent Events: line, missed)", policy: viewers}, a.followLogs)
}

func (a *API) query(ctx context.Context, at AppPath, in LogQuery) (cluster.App, logstore.Query, error) {
	q := logstore.Query{Type: in.Type, Search: in.Search, IgnoreCase: true, Limit: in.N}
	app, err := a.app(ctx, at)
	if err != nil {
		return app, q, err
	}
	if in.Since != "" {
		if q.Since, err = sinceOf("since", in.Since); err != nil {
			return app, q, err
		}
	}
	if in.Instance != "" {
		q.Instance, err = a.pace.FindInstance(ctx, app, in.Instance)
	}
	return app, q, err
}

// sinceOf reads a time, or a duration before now.
func sinceOf(field, s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return time.Time{}, cluster.Invalid(field, "%.40q is neither a time (2026-01-02T15:04:05Z) nor a duration (2h, 30m)", s)
	}
	return time.Now().Add(-d), nil
}

func (a *API) readLogs(ctx context.Context, in *readLogs) (*reply[wire.Page[wire.LogLine]], error) {
	app, q, err := a.query(ctx, in.AppPath, in.LogQuery)
	if err != nil {
		return nil, err
	}
	lines, err := a.Logs.Query(ctx, app.ID, q)
	if err != nil {
		return nil, err
	}
	page := wire.Page[wire.LogLine]{Items: []wire.LogLine{}}
	for _, l := range lines {
		page.Items = append(page.Items, lineWire(l, ""))
	}
	return ok(page, nil)
}

func lineWire(l cluster.LogLine, cursor string) wire.LogLine {
	return wire.LogLine{
		Cursor: cursor, Time: l.Time, Instance: string(l.Instance), Type: l.Type,
		Release: l.Release, Node: l.Node, Stream: l.Stream, Text: l.Text,
	}
}

func (a *API) followLogs(ctx context.Context, in *followLogs) (*huma.StreamResponse, error) {
	app, q, err := a.query(ctx, in.AppPath, in.LogQuery)
	if err != nil {
		return nil, err
	}
	var from uint64
	if in.Last != "" {
		if from, err = strconv.ParseUint(in.Last, 10, 64); err != nil {
			return nil, cluster.Invalid("Last-Event-ID", "%.40q is not an id of this stream", in.Last)
		}
	}
	entries, err := a.Logs.Follow(ctx, app.ID, q, from)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) { relayLogs(openStream(hc), entries) }}, nil
}

// relayLogs ends with the channel, which ends with the request.
func relayLogs(s *eventStream, entries <-chan logstore.Entry) {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		var err error
		select {
		case e, open := <-entries:
			if !open {
				return
			}
			told := entryEvent(e)
			err = s.send(told.name, told.id, told.value)
		case <-beat.C:
			err = s.beat()
		}
		if err != nil {
			return // the client is gone
		}
	}
}

// entryEvent is how an entry is told.
func entryEvent(e logstore.Entry) ownEvent {
	cursor := strconv.FormatUint(e.Cursor, 10)
	if e.Missed > 0 {
		return ownEvent{"missed", cursor, map[string]uint64{"n": e.Missed}}
	}
	return ownEvent{"line", cursor, lineWire(e.Line, cursor)}
}
