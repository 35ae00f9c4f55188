package api

import (
	"context"

	"aorta/web/access"
	"aorta/web/auth"
	"aorta/web/rest"
	"aorta/web/wire"
)

type changeGrants struct {
	access.AppPath
	Body wire.GrantsChange
}

func (a *API) grantRoutes(h *rest.API) {
	rest.Register(h, rest.Route{Method: rest.Patch, Path: "/apps/{app}/grants", Summary: "Grant capabilities to an app, or revoke them", Role: access.Admin, Subject: access.OnApp}, a.changeGrants)
}

func (a *API) changeGrants(ctx context.Context, in *changeGrants) (*rest.Reply[wire.Grants], error) {
	after, err := a.pace.ChangeGrants(ctx, in.App(), in.Body.Grant, in.Body.Revoke, auth.User(ctx).Name)
	return rest.OK(wire.Grants{Capabilities: append([]string{}, after...)}, err)
}
