package api

import (
	"context"

	"aorta/web/access"
	"aorta/web/auth"
	"aorta/web/rest"
	"aorta/web/wire"
)

type changeBuildSecrets struct {
	access.AppPath
	Body wire.BuildSecretsChange
}

func (a *API) buildSecretRoutes(h *rest.API) {
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/apps/{app}/build-secrets", Summary: "List the names of build secrets", Role: access.Developer, Subject: access.OnApp}, a.listBuildSecrets)
	rest.Register(h, rest.Route{Method: rest.Patch, Path: "/apps/{app}/build-secrets", Summary: "Set and unset build secrets, from the next build on", Role: access.Developer, Subject: access.OnApp}, a.changeBuildSecrets)
}

func (a *API) listBuildSecrets(ctx context.Context, in *access.AppPath) (*rest.Reply[wire.BuildSecrets], error) {
	names, err := a.store.BuildSecretNames(ctx, in.App().ID)
	return rest.OK(wire.BuildSecrets{Names: names}, err)
}

func (a *API) changeBuildSecrets(ctx context.Context, in *changeBuildSecrets) (*rest.Reply[wire.BuildSecrets], error) {
	names, err := a.pace.ChangeBuildSecrets(ctx, in.App(), in.Body.Set, in.Body.Unset, auth.User(ctx).Name)
	return rest.OK(wire.BuildSecrets{Names: names}, err)
}
