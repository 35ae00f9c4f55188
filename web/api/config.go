package api

import (
	"context"
	"net/http"

	"aorta/internal/dotenv"
	"aorta/pacemaker/cluster"
	"aorta/web/access"
	"aorta/web/auth"
	"aorta/web/rest"
	"aorta/web/wire"
)

type changeConfig struct {
	access.AppPath
	Body wire.ConfigChange
}

type parseDotenv struct {
	access.AppPath
	Body wire.Dotenv
}

func (a *API) configRoutes(h *rest.API) {
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/apps/{app}/config", Summary: "Show config vars", Role: access.Developer, Subject: access.OnApp}, a.showConfig)
	rest.Register(h, rest.Route{Method: rest.Patch, Path: "/apps/{app}/config", Summary: "Set and unset config vars, and roll them out", Role: access.Developer, Subject: access.OnApp, Status: http.StatusAccepted}, a.changeConfig)
	rest.Register(h, rest.Route{Method: rest.Post, Path: "/apps/{app}/config/parse", Summary: "Read config vars from the text of a .env file, and set none", Role: access.Developer, Subject: access.OnApp}, a.parseDotenv)
}

// parseDotenv is for those who have no parser of their own: one file means the
// same wherever it is given.
func (a *API) parseDotenv(_ context.Context, in *parseDotenv) (*rest.Reply[wire.Config], error) {
	vars, err := dotenv.Parse(in.Body.Text)
	if err != nil {
		return nil, cluster.Invalid("", "%v", err)
	}
	return rest.OK(wire.Config{Vars: vars}, nil)
}

func (a *API) showConfig(ctx context.Context, in *access.AppPath) (*rest.Reply[wire.Config], error) {
	vars, err := a.store.Config(ctx, in.App().ID)
	return rest.OK(wire.Config{Vars: vars}, err)
}

func (a *API) changeConfig(ctx context.Context, in *changeConfig) (*rest.Reply[wire.Accepted], error) {
	op, changed, err := a.pace.ChangeConfig(ctx, in.App(), in.Body.Set, in.Body.Unset, auth.User(ctx).Name)
	answer := wire.Accepted{Job: string(op.ID)}
	switch {
	case !changed:
		answer.Message = "nothing to change: the config vars are like that already"
	case op.ID == "":
		answer.Message = "set; it takes effect with the first deploy"
	}
	return rest.OK(answer, err)
}
