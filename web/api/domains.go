package api

import (
	"context"
	"net/http"

	"aorta/pacemaker/cluster"
	"aorta/web/access"
	"aorta/web/auth"
	"aorta/web/rest"
	"aorta/web/view"
	"aorta/web/wire"
)

type newDomain struct {
	access.AppPath
	Body wire.NewDomain
}

type listDomains struct {
	access.AppPath
	rest.Paged
}

type domainPath struct {
	access.AppPath
	Host string `path:"host" maxLength:"255"`
}

func (a *API) domainRoutes(h *rest.API) {
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/apps/{app}/domains", Summary: "List hostnames", Role: access.Viewer, Subject: access.OnApp}, a.listDomains)
	rest.Register(h, rest.Route{Method: rest.Post, Path: "/apps/{app}/domains", Summary: "Add a hostname", Role: access.Developer, Subject: access.OnApp, Status: http.StatusCreated}, a.addDomain)
	rest.Register(h, rest.Route{Method: rest.Delete, Path: "/apps/{app}/domains/{host}", Summary: "Remove a hostname", Role: access.Developer, Subject: access.OnApp, Status: http.StatusNoContent}, a.removeDomain)
}

func (a *API) listDomains(ctx context.Context, in *listDomains) (*rest.Reply[wire.Page[wire.Domain]], error) {
	app := in.App()
	if err := in.Check(checkDomainKey); err != nil {
		return nil, err
	}
	list, err := a.store.Domains(ctx, app.ID)
	if err != nil {
		return nil, err
	}
	items := make([]wire.Domain, len(list))
	for i, d := range list {
		items[i] = view.Domain(app, d)
	}
	return rest.OK(rest.Window(in.Paged, items, domainKey), nil)
}

// domainKey orders an app's own host before the others.
func domainKey(d wire.Domain) string {
	if d.Own {
		return "0" + d.Host
	}
	return "1" + d.Host
}

func checkDomainKey(field, key string) error {
	if key[0] != '0' && key[0] != '1' {
		return cluster.Invalid(field, "%.1q is no order", key)
	}
	return cluster.ValidateHost(field, key[1:])
}

func (a *API) addDomain(ctx context.Context, in *newDomain) (*rest.Reply[wire.Domain], error) {
	app := in.App()
	d, err := a.pace.AddDomain(ctx, app, in.Body.Host, auth.User(ctx).Name)
	return rest.OK(view.Domain(app, d), err)
}

func (a *API) removeDomain(ctx context.Context, in *domainPath) (*rest.None, error) {
	return nil, a.pace.RemoveDomain(ctx, in.App(), in.Host, auth.User(ctx).Name)
}
