package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"aorta/web/wire"
)

type changeConfig struct {
	AppPath
	Body wire.ConfigChange
}

func (a *API) configRoutes(h huma.API) {
	register(h, a, route{method: get, path: "/apps/{app}/config", summary: "Show config vars", policy: developers}, a.showConfig)
	register(h, a, route{method: patch, path: "/apps/{app}/config", summary: "Set and unset config vars, and roll them out", policy: developers, status: http.StatusAccepted}, a.changeConfig)
}

func (a *API) showConfig(ctx context.Context, in *AppPath) (*reply[wire.Config], error) {
	app, err := a.app(ctx, *in)
	if err != nil {
		return nil, err
	}
	vars, err := a.store.Config(ctx, app.ID)
	return ok(wire.Config{Vars: vars}, err)
}

func (a *API) changeConfig(ctx context.Context, in *changeConfig) (*reply[wire.Accepted], error) {
	app, err := a.app(ctx, in.AppPath)
	if err != nil {
		return nil, err
	}
	op, err := a.pace.ChangeConfig(ctx, app, in.Body.Set, in.Body.Unset, userOf(ctx).Name)
	answer := wire.Accepted{Job: string(op.ID)}
	if op.ID == "" {
		answer.Message = "set; it takes effect with the first deploy"
	}
	return ok(answer, err)
}
