package client

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"aorta/web/wire"
)

// Instances are an app's instances that are not gone.
func (c *Client) Instances(ctx context.Context, app string) ([]wire.Instance, error) {
	return Collect(items[wire.Instance](ctx, c, nil, "apps", app, "instances"), 0)
}

// Formation is an app's process types with their quantities and limits.
func (c *Client) Formation(ctx context.Context, app string) (wire.Formation, error) {
	return get[wire.Formation](ctx, c, nil, "apps", app, "formation")
}

// ChangeFormation changes the named process types.
func (c *Client) ChangeFormation(ctx context.Context, app string, change wire.FormationChange) (wire.Accepted, error) {
	return write[wire.Accepted](ctx, c, input{method: http.MethodPatch, body: change}, "apps", app, "formation")
}

// Restart replaces one instance, or all, by new ones.
func (c *Client) Restart(ctx context.Context, app string, r wire.Restart) (wire.Accepted, error) {
	return write[wire.Accepted](ctx, c, input{body: r}, "apps", app, "restart")
}

// Stop stops the whole app and remembers its formation.
func (c *Client) Stop(ctx context.Context, app string) (wire.Accepted, error) {
	return write[wire.Accepted](ctx, c, input{}, "apps", app, "stop")
}

// StatsQuery narrows an app's numbers down.
type StatsQuery struct {
	Since   time.Duration // of the window and the percentiles; zero for the server's own
	Release string        // label; empty for all
}

// Stats are an app's numbers.
func (c *Client) Stats(ctx context.Context, app string, q StatsQuery) (wire.Stats, error) {
	query := url.Values{}
	if q.Since > 0 {
		query.Set("since", q.Since.String())
	}
	if q.Release != "" {
		query.Set("release", q.Release)
	}
	return get[wire.Stats](ctx, c, query, "apps", app, "stats")
}
