package api

import (
	"context"
	"net/http"

	"aorta/pacemaker/cluster"
	"aorta/web/access"
	"aorta/web/auth"
	"aorta/web/rest"
	"aorta/web/view"
	"aorta/web/wire"
)

type listBuilds struct {
	access.AppPath
	rest.Paged
}

type rebuild struct {
	access.AppPath
	Body wire.Rebuild
}

type cancelBuild struct {
	access.AppPath
	Body wire.CancelBuild
}

func (a *API) buildRoutes(h *rest.API) {
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/apps/{app}/builds", Summary: "List an app's builds, newest first", Role: access.Viewer, Subject: access.OnApp}, a.listBuilds)
	rest.Register(h, rest.Route{Method: rest.Post, Path: "/apps/{app}/builds/cancel", Summary: "End a build that runs or waits, and cancel its job", Role: access.Developer, Subject: access.OnApp, Status: http.StatusAccepted}, a.cancelBuild)
	rest.Register(h, rest.Route{Method: rest.Post, Path: "/apps/{app}/rebuild", Summary: "Build or pull a release's image again, if it is gone", Role: access.Developer, Subject: access.OnApp, Status: http.StatusAccepted}, a.rebuild)
}

func (a *API) listBuilds(ctx context.Context, in *listBuilds) (*rest.Reply[wire.Page[wire.Build]], error) {
	if err := in.Check(rest.CheckID); err != nil {
		return nil, err
	}
	app := in.App()
	list, err := a.store.Builds(ctx, app.ID, cluster.ID(in.Cursor), in.Limit+1)
	if err != nil {
		return nil, err
	}
	page := wire.Page[wire.Build]{Items: []wire.Build{}}
	for i, b := range list {
		if i == in.Limit {
			page.Next = string(list[i-1].ID)
			break
		}
		shown, err := view.Build(app.Name, b)
		if err != nil {
			return nil, err
		}
		page.Items = append(page.Items, shown)
	}
	return rest.OK(page, nil)
}

func (a *API) rebuild(ctx context.Context, in *rebuild) (*rest.Reply[wire.Accepted], error) {
	number, err := numberOf(in.Body.Release)
	if err != nil {
		return nil, err
	}
	return rest.Accepted(a.pace.Rebuild(ctx, in.App(), number, auth.User(ctx).Name))
}

func (a *API) cancelBuild(ctx context.Context, in *cancelBuild) (*rest.Reply[wire.Accepted], error) {
	return rest.Accepted(a.pace.CancelBuild(ctx, in.App(), in.Body.Build, auth.User(ctx).Name))
}
