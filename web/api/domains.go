package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"aorta/pacemaker/cluster"
	"aorta/web/wire"
)

type newDomain struct {
	AppPath
	Body wire.NewDomain
}

type listDomains struct {
	AppPath
	Paged
}

type domainPath struct {
	AppPath
	Host string `path:"host" maxLength:"255"`
}

func (a *API) domainRoutes(h huma.API) {
	register(h, a, route{method: get, path: "/apps/{app}/domains", summary: "List hostnames", policy: viewers}, a.listDomains)
	register(h, a, route{method: post, path: "/apps/{app}/domains", summary: "Add a hostname", policy: developers, status: http.StatusCreated}, a.addDomain)
	register(h, a, route{method: remove, path: "/apps/{app}/domains/{host}", summary: "Remove a hostname", policy: developers, status: http.StatusNoContent}, a.removeDomain)
}

func (a *API) listDomains(ctx context.Context, in *listDomains) (*reply[wire.Page[wire.Domain]], error) {
	app, err := a.app(ctx, in.AppPath)
	if err != nil {
		return nil, err
	}
	if err := in.checked(checkDomainKey); err != nil {
		return nil, err
	}
	list, err := a.store.Domains(ctx, app.ID)
	if err != nil {
		return nil, err
	}
	items := make([]wire.Domain, len(list))
	for i, d := range list {
		items[i] = domainWire(app, d)
	}
	return ok(window(in.Paged, items, domainKey), nil)
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

func (a *API) addDomain(ctx context.Context, in *newDomain) (*reply[wire.Domain], error) {
	app, err := a.app(ctx, in.AppPath)
	if err != nil {
		return nil, err
	}
	d, err := a.pace.AddDomain(ctx, app, in.Body.Host, userOf(ctx).Name)
	return ok(domainWire(app, d), err)
}

func (a *API) removeDomain(ctx context.Context, in *domainPath) (*none, error) {
	app, err := a.app(ctx, in.AppPath)
	if err != nil {
		return nil, err
	}
	return nil, a.pace.RemoveDomain(ctx, app, in.Host, userOf(ctx).Name)
}

func domainWire(app cluster.App, d cluster.Domain) wire.Domain {
	return wire.Domain{Host: d.Host, App: app.Name, Own: d.Own, CreatedAt: d.CreatedAt}
}
