package api

import (
	"context"

	"aorta/web/access"
	"aorta/web/rest"
	"aorta/web/view"
	"aorta/web/wire"
)

type readLogs struct {
	access.AppPath
	view.LogQuery
}

func (a *API) logRoutes(h *rest.API) {
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/apps/{app}/logs", Summary: "Read logs", Role: access.Viewer, Subject: access.OnApp}, a.readLogs)
}

func (a *API) readLogs(ctx context.Context, in *readLogs) (*rest.Reply[wire.Page[wire.LogLine]], error) {
	app := in.App()
	q, err := a.view.Lines(ctx, app, in.LogQuery)
	if err != nil {
		return nil, err
	}
	lines, err := a.Logs.Query(ctx, app.ID, q)
	if err != nil {
		return nil, err
	}
	page := wire.Page[wire.LogLine]{Items: []wire.LogLine{}}
	for _, l := range lines {
		page.Items = append(page.Items, view.LogLine(l, ""))
	}
	return rest.OK(page, nil)
}
