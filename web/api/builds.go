package api

import (
	"context"
	"net/http"

	"aorta/web/access"
	"aorta/web/auth"
	"aorta/web/rest"
	"aorta/web/wire"
)

type rebuild struct {
	access.AppPath
	Body wire.Rebuild
}

type cancelBuild struct {
	access.AppPath
	Body wire.CancelBuild
}

func (a *API) buildRoutes(h *rest.API) {
	rest.Register(h, rest.Route{Method: rest.Post, Path: "/apps/{app}/builds/cancel", Summary: "End a build that runs or waits, and cancel its job", Role: access.Developer, Subject: access.OnApp, Status: http.StatusAccepted}, a.cancelBuild)
	rest.Register(h, rest.Route{Method: rest.Post, Path: "/apps/{app}/rebuild", Summary: "Build or pull a release's image again, if it is gone", Role: access.Developer, Subject: access.OnApp, Status: http.StatusAccepted}, a.rebuild)
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
