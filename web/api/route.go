package api

import (
	"context"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/web/access"
	"aorta/web/auth"
	"aorta/web/rest"
	"aorta/web/wire"
)

type changeRoute struct {
	access.AppPath
	Body wire.RouteChange
}

func (a *API) routeRoutes(h *rest.API) {
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/apps/{app}/route", Summary: "Show what requests may take", Role: access.Viewer, Subject: access.OnApp}, a.showRoute)
	rest.Register(h, rest.Route{Method: rest.Patch, Path: "/apps/{app}/route", Summary: "Change what requests may take", Role: access.Developer, Subject: access.OnApp}, a.changeRoute)
}

func (a *API) showRoute(ctx context.Context, in *access.AppPath) (*rest.Reply[wire.Route], error) {
	return a.route(ctx, in.App(), in.App().Requests)
}

func (a *API) route(ctx context.Context, app cluster.App, limits cluster.RequestLimits) (*rest.Reply[wire.Route], error) {
	r := routeWire(limits)
	var err error
	r.Source, err = a.pace.RequestLimitsOfSource(ctx, app, limits)
	return rest.OK(r, err)
}

func (a *API) changeRoute(ctx context.Context, in *changeRoute) (*rest.Reply[wire.Route], error) {
	limits, err := a.pace.ChangeRequestLimits(ctx, in.App(), cluster.RequestLimitsChange{
		Timeout: seconds(in.Body.Timeout), IdleTimeout: seconds(in.Body.IdleTimeout), MaxBody: in.Body.MaxBody,
	}, auth.User(ctx).Name)
	if err != nil {
		return nil, err
	}
	return a.route(ctx, in.App(), limits)
}

func seconds(n *int64) *time.Duration {
	if n == nil {
		return nil
	}
	d := time.Duration(*n) * time.Second
	return &d
}

func routeWire(set cluster.RequestLimits) wire.Route {
	l := set.Effective()
	r := wire.Route{
		Timeout: int64(l.Timeout / time.Second), IdleTimeout: int64(l.IdleTimeout / time.Second), MaxBody: l.MaxBody, Set: []string{},
	}
	for _, field := range []struct {
		name string
		set  bool
	}{{"timeout", set.Timeout != 0}, {"idle_timeout", set.IdleTimeout != 0}, {"max_body", set.MaxBody != 0}} {
		if field.set {
			r.Set = append(r.Set, field.name)
		}
	}
	return r
}
