package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"aorta/pacemaker/cluster"
	"aorta/web/wire"
)

type listReleases struct {
	AppPath
	Paged
}

type releasePath struct {
	AppPath
	Release string `path:"release" maxLength:"16" doc:"such as v12"`
}

type rollback struct {
	AppPath
	Body wire.Rollback
}

func (a *API) releaseRoutes(h huma.API) {
	register(h, a, route{method: get, path: "/apps/{app}/releases", summary: "List releases, newest first", policy: viewers}, a.listReleases)
	register(h, a, route{method: get, path: "/apps/{app}/releases/{release}", summary: "Show a release", policy: viewers}, a.showRelease)
	register(h, a, route{method: post, path: "/apps/{app}/rollback", summary: "Roll back to an earlier release", policy: developers, status: http.StatusAccepted}, a.rollback)
}

func (a *API) listReleases(ctx context.Context, in *listReleases) (*reply[wire.Page[wire.Release]], error) {
	app, err := a.app(ctx, in.AppPath)
	if err != nil {
		return nil, err
	}
	below := 0
	if in.Cursor != "" {
		if below, err = cluster.ParseReleaseLabel("cursor", in.Cursor); err != nil {
			return nil, err
		}
	}
	list, err := a.store.Releases(ctx, app.ID, below, in.Limit+1)
	if err != nil {
		return nil, err
	}
	traffic, err := a.traffic(ctx, app)
	if err != nil {
		return nil, err
	}
	page := wire.Page[wire.Release]{Items: []wire.Release{}}
	for i, r := range list {
		if i == in.Limit {
			page.Next = list[i-1].Label()
			break
		}
		page.Items = append(page.Items, releaseWire(r, traffic))
	}
	return ok(page, nil)
}

func (a *API) showRelease(ctx context.Context, in *releasePath) (*reply[wire.Release], error) {
	app, err := a.app(ctx, in.AppPath)
	if err != nil {
		return nil, err
	}
	number, err := cluster.ParseReleaseLabel("release", in.Release)
	if err != nil {
		return nil, err
	}
	r, err := a.store.ReleaseByNumber(ctx, app, number)
	if err != nil {
		return nil, err
	}
	traffic, err := a.traffic(ctx, app)
	return ok(releaseWire(r, traffic), err)
}

func (a *API) rollback(ctx context.Context, in *rollback) (*reply[wire.Accepted], error) {
	app, err := a.app(ctx, in.AppPath)
	if err != nil {
		return nil, err
	}
	number := 0
	if in.Body.Release != "" {
		if number, err = cluster.ParseReleaseLabel("release", in.Body.Release); err != nil {
			return nil, err
		}
	}
	return accepted(a.pace.Rollback(ctx, app, number, userOf(ctx).Name))
}

func (a *API) traffic(ctx context.Context, app cluster.App) (map[cluster.ID]int, error) {
	weights, err := a.store.Traffic(ctx, app.ID)
	if err != nil {
		return nil, err
	}
	out := map[cluster.ID]int{}
	for _, w := range weights {
		out[w.Release] = w.Weight
	}
	return out, nil
}

func releaseWire(r cluster.Release, traffic map[cluster.ID]int) wire.Release {
	return wire.Release{
		Release: r.Label(), ID: string(r.ID), State: string(r.State), Traffic: float64(traffic[r.ID]) * 100 / cluster.FullWeight,
		Image: r.Image.Ref, Commit: r.Commit, CreatedAt: r.CreatedAt, User: r.User, Message: r.Message, Error: r.Error,
	}
}
