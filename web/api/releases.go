package api

import (
	"context"
	"net/http"

	"aorta/pacemaker"
	"aorta/pacemaker/cluster"
	"aorta/web/access"
	"aorta/web/auth"
	"aorta/web/rest"
	"aorta/web/view"
	"aorta/web/wire"
)

type listReleases struct {
	access.AppPath
	rest.Paged
}

type releasePath struct {
	access.AppPath
	Release string `path:"release" maxLength:"16" doc:"such as v12"`
}

type planRollback struct {
	access.AppPath
	Release  string `query:"release" maxLength:"16" doc:"such as v12; by default the newest one before that served well"`
	CodeOnly bool   `query:"code_only" doc:"whether today's config vars stay"`
}

type rollback struct {
	access.AppPath
	Body wire.Rollback
}

func (a *API) releaseRoutes(h *rest.API) {
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/apps/{app}/releases", Summary: "List releases, newest first", Role: access.Viewer, Subject: access.OnApp}, a.listReleases)
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/apps/{app}/releases/{release}", Summary: "Show a release", Role: access.Viewer, Subject: access.OnApp}, a.showRelease)
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/apps/{app}/rollback", Summary: "Show what a rollback would change", Role: access.Viewer, Subject: access.OnApp}, a.planRollback)
	rest.Register(h, rest.Route{Method: rest.Post, Path: "/apps/{app}/rollback", Summary: "Roll back to an earlier release", Role: access.Developer, Subject: access.OnApp, Status: http.StatusAccepted}, a.rollback)
}

func (a *API) listReleases(ctx context.Context, in *listReleases) (*rest.Reply[wire.Page[wire.Release]], error) {
	app, below := in.App(), 0
	var err error
	if in.Cursor != "" {
		if below, err = cluster.ParseReleaseLabel("cursor", in.Cursor); err != nil {
			return nil, err
		}
	}
	list, err := a.store.Releases(ctx, app.ID, below, in.Limit+1)
	if err != nil {
		return nil, err
	}
	traffic, err := a.view.Traffic(ctx, app)
	if err != nil {
		return nil, err
	}
	page := wire.Page[wire.Release]{Items: []wire.Release{}}
	for i, r := range list {
		if i == in.Limit {
			page.Next = list[i-1].Label()
			break
		}
		page.Items = append(page.Items, view.Release(r, traffic))
	}
	return rest.OK(page, nil)
}

func (a *API) showRelease(ctx context.Context, in *releasePath) (*rest.Reply[wire.Release], error) {
	app := in.App()
	number, err := cluster.ParseReleaseLabel("release", in.Release)
	if err != nil {
		return nil, err
	}
	r, err := a.store.ReleaseByNumber(ctx, app, number)
	if err != nil {
		return nil, err
	}
	traffic, err := a.view.Traffic(ctx, app)
	return rest.OK(view.Release(r, traffic), err)
}

func (a *API) planRollback(ctx context.Context, in *planRollback) (*rest.Reply[wire.RollbackPlan], error) {
	number, err := numberOf(in.Release)
	if err != nil {
		return nil, err
	}
	plan, err := a.pace.PlanRollback(ctx, in.App(), pacemaker.Rollback{Number: number, CodeOnly: in.CodeOnly})
	return rest.OK(view.RollbackPlan(plan), err)
}

func (a *API) rollback(ctx context.Context, in *rollback) (*rest.Reply[wire.Accepted], error) {
	number, err := numberOf(in.Body.Release)
	if err != nil {
		return nil, err
	}
	return rest.Accepted(a.pace.Rollback(ctx, in.App(), pacemaker.Rollback{Number: number, CodeOnly: in.Body.CodeOnly}, auth.User(ctx).Name))
}

// numberOf reads the release that a request names, 0 for none.
func numberOf(label string) (int, error) {
	if label == "" {
		return 0, nil
	}
	return cluster.ParseReleaseLabel("release", label)
}
