package api

import (
	"context"
	"net/http"

	"aorta/pacemaker/cluster"
	"aorta/web/access"
	"aorta/web/auth"
	"aorta/web/rest"
	"aorta/web/wire"
)

type listApps struct{ rest.Paged }

type newApp struct{ Body wire.NewApp }

type renameApp struct {
	access.AppPath
	Body wire.RenameApp
}

type destroyApp struct {
	access.AppPath
	Confirm string `query:"confirm" required:"true" doc:"the app's name again"`
}

func (a *API) appRoutes(h *rest.API) {
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/apps", Summary: "List apps", Role: access.Viewer, Subject: access.OnWorkspace}, a.listApps)
	rest.Register(h, rest.Route{Method: rest.Post, Path: "/apps", Summary: "Create an app", Role: access.Developer, Subject: access.OnWorkspace, Status: http.StatusCreated}, a.createApp)
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/apps/{app}", Summary: "Show an app", Role: access.Viewer, Subject: access.OnApp}, a.showApp)
	rest.Register(h, rest.Route{Method: rest.Patch, Path: "/apps/{app}", Summary: "Rename an app", Role: access.Developer, Subject: access.OnApp}, a.renameApp)
	rest.Register(h, rest.Route{Method: rest.Delete, Path: "/apps/{app}", Summary: "Destroy an app", Role: access.Developer, Subject: access.OnApp, Status: http.StatusAccepted}, a.destroyApp)
}

func (a *API) listApps(ctx context.Context, in *listApps) (*rest.Reply[wire.Page[wire.App]], error) {
	if err := in.Check(cluster.ValidateName); err != nil {
		return nil, err
	}
	apps, err := a.store.Apps(ctx, in.Cursor, in.Limit+1)
	if err != nil {
		return nil, err
	}
	page := wire.Page[wire.App]{Items: []wire.App{}}
	for i, app := range apps {
		if i == in.Limit {
			page.Next = apps[i-1].Name
			break
		}
		v, err := a.view.App(ctx, app)
		if err != nil {
			return nil, err
		}
		page.Items = append(page.Items, v)
	}
	return rest.OK(page, nil)
}

func (a *API) createApp(ctx context.Context, in *newApp) (*rest.Reply[wire.App], error) {
	app, err := a.pace.CreateApp(ctx, in.Body.Name, auth.User(ctx).Name)
	if err != nil {
		return nil, err
	}
	return rest.OK(a.view.App(ctx, app))
}

func (a *API) showApp(ctx context.Context, in *access.AppPath) (*rest.Reply[wire.App], error) {
	return rest.OK(a.view.App(ctx, in.App()))
}

func (a *API) renameApp(ctx context.Context, in *renameApp) (*rest.Reply[wire.App], error) {
	app, err := a.pace.RenameApp(ctx, in.App(), in.Body.Name, in.Body.Version, auth.User(ctx).Name)
	if err != nil {
		return nil, err
	}
	return rest.OK(a.view.App(ctx, app))
}

func (a *API) destroyApp(ctx context.Context, in *destroyApp) (*rest.Reply[wire.Accepted], error) {
	return rest.Accepted(a.pace.DestroyApp(ctx, in.App(), in.Confirm, auth.User(ctx).Name))
}
