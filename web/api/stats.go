package api

import (
	"context"
	"time"

	"aorta/internal/duration"
	"aorta/pacemaker/cluster"
	"aorta/web/access"
	"aorta/web/rest"
	"aorta/web/wire"
)

type statsQuery struct {
	access.AppPath
	Since   string `query:"since" maxLength:"20" default:"1h" doc:"time range of the window and the percentiles, such as 1h"`
	Release string `query:"release" maxLength:"16" doc:"such as v12; all releases without it"`
}

// maxWindow is how far back statistics reach.
const maxWindow = 90 * 24 * time.Hour

func (a *API) statsRoutes(h *rest.API) {
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/apps/{app}/stats", Summary: "Show an app's traffic", Role: access.Viewer, Subject: access.OnApp}, a.showStats)
}

func (a *API) showStats(ctx context.Context, in *statsQuery) (*rest.Reply[wire.Stats], error) {
	app := in.App()
	window, err := duration.Parse(in.Since)
	if err != nil || window <= 0 || window > maxWindow {
		return nil, cluster.Invalid("since", "%.20q is not a duration up to %s (such as 1h)", in.Since, duration.Text(maxWindow))
	}
	var release cluster.Release
	if in.Release != "" {
		number, err := cluster.ParseReleaseLabel("release", in.Release)
		if err != nil {
			return nil, err
		}
		if release, err = a.store.ReleaseByNumber(ctx, app, number); err != nil {
			return nil, err
		}
	}
	s, err := a.Stats.App(ctx, string(app.ID), string(release.ID), window)
	s.App, s.Release, s.Since = app.Name, in.Release, in.Since
	return rest.OK(s, err)
}
