package client

import (
	"context"
	"net/url"
	"strconv"

	"aorta/web/wire"
)

// LogQuery narrows an app's log down. Zero values leave it open.
type LogQuery struct {
	Lines    int    // the newest so many; zero for the server's own number
	Type     string // process type
	Instance string // id
	Since    string // RFC 3339, or a duration such as 2h
	Until    string // likewise; lines before it
	Search   string // text that a line must hold
}

func (q LogQuery) values() url.Values {
	v := url.Values{}
	for key, value := range map[string]string{"type": q.Type, "instance": q.Instance, "since": q.Since, "until": q.Until, "search": q.Search} {
		if value != "" {
			v.Set(key, value)
		}
	}
	if q.Lines > 0 {
		v.Set("n", strconv.Itoa(q.Lines))
	}
	return v
}

// Logs are the newest lines of an app's log that match, the oldest first.
func (c *Client) Logs(ctx context.Context, app string, q LogQuery) ([]wire.LogLine, error) {
	return whole[wire.LogLine](ctx, c, q.values(), "apps", app, "logs")
}

// LogFeed takes what a followed log brings, in order, on one goroutine. An
// error of Line ends the following.
type LogFeed struct {
	Line   func(wire.LogLine) error
	Missed func(n int) // so many lines were too fast for this reader; may be nil
}

// FollowLogs brings the last lines that match and then each new one, across
// cut connections, until the context ends.
func (c *Client) FollowLogs(ctx context.Context, app string, q LogQuery, feed LogFeed) error {
	p, err := path("apps", app, "logs", "stream")
	if err != nil {
		return err
	}
	s := &stream{c: c, path: p, query: q.values()}
	s.handle = func(e event) (bool, error) {
		switch e.Name {
		case "line":
			var l wire.LogLine
			if err := decode(c, e, &l); err != nil {
				return true, err
			}
			return false, feed.Line(l)
		case "missed":
			var m struct{ N int }
			if err := decode(c, e, &m); err != nil {
				return true, err
			}
			if feed.Missed != nil {
				feed.Missed(m.N)
			}
		}
		return false, nil
	}
	return s.run(ctx)
}
