package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"aorta/pacemaker/cluster"
	"aorta/web/wire"
)

// AppPath is an operation on one app. Types that are embedded in a request are
// exported: the framework passes over the fields of others.
type AppPath struct {
	App string `path:"app" maxLength:"64" doc:"the app's name"`
}

type listApps struct{ Paged }

type newApp struct{ Body wire.NewApp }

type renameApp struct {
	AppPath
	Body wire.RenameApp
}

type destroyApp struct {
	AppPath
	Confirm string `query:"confirm" required:"true" doc:"the app's name again"`
}

func (a *API) appRoutes(h huma.API) {
	register(h, a, route{method: get, path: "/apps", summary: "List apps", policy: viewers}, a.listApps)
	register(h, a, route{method: post, path: "/apps", summary: "Create an app", policy: developers, status: http.StatusCreated}, a.createApp)
	register(h, a, route{method: get, path: "/apps/{app}", summary: "Show an app", policy: viewers}, a.showApp)
	register(h, a, route{method: patch, path: "/apps/{app}", summary: "Rename an app", policy: developers}, a.renameApp)
	register(h, a, route{method: remove, path: "/apps/{app}", summary: "Destroy an app", policy: developers, status: http.StatusAccepted}, a.destroyApp)
}

func (a *API) app(ctx context.Context, p AppPath) (cluster.App, error) {
	return a.store.App(ctx, p.App)
}

func (a *API) listApps(ctx context.Context, in *listApps) (*reply[wire.Page[wire.App]], error) {
	if err := in.checked(cluster.ValidateName); err != nil {
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
		v, err := a.appView(ctx, app)
		if err != nil {
			return nil, err
		}
		page.Items = append(page.Items, v)
	}
	return ok(page, nil)
}

func (a *API) createApp(ctx context.Context, in *newApp) (*reply[wire.App], error) {
	app, err := a.pace.CreateApp(ctx, in.Body.Name, userOf(ctx).Name)
	if err != nil {
		return nil, err
	}
	return ok(a.appView(ctx, app))
}

func (a *API) showApp(ctx context.Context, in *AppPath) (*reply[wire.App], error) {
	app, err := a.app(ctx, *in)
	if err != nil {
		return nil, err
	}
	return ok(a.appView(ctx, app))
}

func (a *API) renameApp(ctx context.Context, in *renameApp) (*reply[wire.App], error) {
	app, err := a.app(ctx, in.AppPath)
	if err != nil {
		return nil, err
	}
	app, err = a.pace.RenameApp(ctx, app, in.Body.Name, in.Body.Version, userOf(ctx).Name)
	if err != nil {
		return nil, err
	}
	return ok(a.appView(ctx, app))
}

func (a *API) destroyApp(ctx context.Context, in *destroyApp) (*reply[wire.Accepted], error) {
	app, err := a.app(ctx, in.AppPath)
	if err != nil {
		return nil, err
	}
	return accepted(a.pace.DestroyApp(ctx, app, in.Confirm, userOf(ctx).Name))
}

func (a *API) appView(ctx context.Context, app cluster.App) (wire.App, error) {
	v := wire.App{
		ID: string(app.ID), Name: app.Name, Stopped: app.Stopped, CreatedAt: app.CreatedAt, Version: app.Version,
		URL: a.pace.AppURL(app), GitHTTP: a.PublicURL + "/git/" + app.Name + ".git", Hosts: []string{},
	}
	domains, err := a.store.Domains(ctx, app.ID)
	if err != nil {
		return v, err
	}
	for _, d := range domains {
		v.Hosts = append(v.Hosts, d.Host)
	}
	summary, err := a.pace.Summary(ctx, app)
	v.Release, v.Instances, v.Wanted = summary.Release, summary.Running, summary.Wanted
	return v, err
}
