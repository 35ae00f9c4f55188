package view

import (
	"context"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/logstore"
	"aorta/web/rest"
	"aorta/web/wire"
)

// LogQuery chooses lines of an app's log.
type LogQuery struct {
	N        int    `query:"n" minimum:"0" maximum:"10000" default:"100" doc:"number of lines, the newest"`
	Type     string `query:"type" maxLength:"40" doc:"process type"`
	Instance string `query:"instance" maxLength:"60" doc:"instance: its id, or what people call it (web.1a2b3c4d), also when it has ended"`
	Since    string `query:"since" maxLength:"40" doc:"a time (RFC 3339), or how long ago, such as 2h"`
	Until    string `query:"until" maxLength:"40" doc:"before this time (RFC 3339), or until so long ago"`
	Search   string `query:"search" maxLength:"200" doc:"text in the line, ignoring case"`
}

// Lines is what a query asks the log of an app for.
func (v *Views) Lines(ctx context.Context, app cluster.App, in LogQuery) (logstore.Query, error) {
	q := logstore.Query{Type: in.Type, Search: in.Search, IgnoreCase: true, Limit: in.N}
	var err error
	if in.Since != "" {
		if q.Since, err = rest.Since("since", in.Since); err != nil {
			return q, err
		}
	}
	if in.Until != "" {
		if q.Until, err = rest.Since("until", in.Until); err != nil {
			return q, err
		}
	}
	if in.Instance != "" {
		q.Instance, err = v.instanceWithLines(ctx, app, in.Instance)
	}
	return q, err
}

// instanceWithLines finds one that is there, or whose lines are: people read most
// about those that have ended.
func (v *Views) instanceWithLines(ctx context.Context, app cluster.App, name string) (cluster.ID, error) {
	id, missing := v.pace.Overview.FindInstance(ctx, app, name)
	if cluster.CodeOf(missing) != cluster.CodeNotFound {
		return id, missing
	}
	id, err := v.logs.InstanceCalled(ctx, app.ID, name)
	if err == nil && id == "" {
		err = missing
	}
	return id, err
}

// LogLine is a line of an app's log; cursor resumes a stream behind it.
func LogLine(l cluster.LogLine, cursor string) wire.LogLine {
	return wire.LogLine{
		Cursor: cursor, Time: l.Time, Instance: string(l.Instance), Type: l.Type,
		Release: l.Release, Node: l.Node, Stream: l.Stream, Text: l.Text,
	}
}
