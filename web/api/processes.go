package api

import (
	"context"
	"net"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"aorta/pacemaker"
	"aorta/pacemaker/cluster"
	"aorta/web/wire"
)

type changeFormation struct {
	AppPath
	Body wire.FormationChange
}

type listInstances struct {
	AppPath
	Paged
}

type restartApp struct {
	AppPath
	Body wire.Restart
}

func (a *API) processRoutes(h huma.API) {
	register(h, a, route{method: get, path: "/apps/{app}/instances", summary: "List instances", policy: viewers}, a.listInstances)
	register(h, a, route{method: get, path: "/apps/{app}/formation", summary: "Show process types", policy: viewers}, a.showFormation)
	register(h, a, route{method: patch, path: "/apps/{app}/formation", summary: "Scale process types and change their limits", policy: developers, status: http.StatusAccepted}, a.changeFormation)
	register(h, a, route{method: post, path: "/apps/{app}/restart", summary: "Replace instances by new ones", policy: developers, status: http.StatusAccepted}, a.restartApp)
	register(h, a, route{method: post, path: "/apps/{app}/stop", summary: "Stop the whole app", policy: developers, status: http.StatusAccepted}, a.stopApp)
}

func (a *API) listInstances(ctx context.Context, in *listInstances) (*reply[wire.Page[wire.Instance]], error) {
	app, err := a.app(ctx, in.AppPath)
	if err != nil {
		return nil, err
	}
	if err := in.checked(checkID); err != nil {
		return nil, err
	}
	views, err := a.pace.InstanceViews(ctx, app)
	if err != nil {
		return nil, err
	}
	items := make([]wire.Instance, len(views))
	for i, v := range views {
		items[i] = instanceWire(app, v)
	}
	return ok(window(in.Paged, items, func(i wire.Instance) string { return i.ID }), nil)
}

func instanceWire(app cluster.App, v pacemaker.InstanceView) wire.Instance {
	w := wire.Instance{
		ID: string(v.ID), App: app.Name, Release: v.Release, Type: v.Type, Node: v.Node.Name, State: string(v.State),
		Crashing: v.Crashing, Unheard: v.Unheard, Restarts: v.Restarts, Error: v.Error, CreatedAt: v.CreatedAt, StartedAt: v.StartedAt,
	}
	if v.Port != 0 && v.Node.Address != "" {
		w.Address = net.JoinHostPort(v.Node.Address, strconv.Itoa(v.Port))
	}
	return w
}

func (a *API) showFormation(ctx context.Context, in *AppPath) (*reply[wire.Formation], error) {
	app, err := a.app(ctx, *in)
	if err != nil {
		return nil, err
	}
	list, err := a.pace.Formation(ctx, app)
	if err != nil {
		return nil, err
	}
	out := wire.Formation{Processes: []wire.Process{}}
	for _, p := range list {
		out.Processes = append(out.Processes, wire.Process{
			Type: p.Process.Name, Command: p.Process.Command, Quantity: p.Quantity, Memory: p.Limits.Memory, CPUs: p.Limits.CPUs,
		})
	}
	return ok(out, nil)
}

func (a *API) changeFormation(ctx context.Context, in *changeFormation) (*reply[wire.Accepted], error) {
	app, err := a.app(ctx, in.AppPath)
	if err != nil {
		return nil, err
	}
	changes := make(map[string]pacemaker.ProcessChange, len(in.Body.Types))
	for typ, c := range in.Body.Types {
		change := pacemaker.ProcessChange{Quantity: c.Quantity}
		if c.Memory != nil {
			if *c.Memory < cluster.MinMemory {
				return nil, cluster.Invalid("types."+typ+".memory", "%d bytes is less than %s", *c.Memory, cluster.Bytes(cluster.MinMemory))
			}
			change.Limits.Memory = *c.Memory
		}
		if c.CPUs != nil {
			if *c.CPUs < cluster.MinCPUs {
				return nil, cluster.Invalid("types."+typ+".cpus", "%v is less than %v", *c.CPUs, cluster.MinCPUs)
			}
			change.Limits.CPUs = *c.CPUs
		}
		changes[typ] = change
	}
	return accepted(a.pace.ChangeFormation(ctx, app, changes, userOf(ctx).Name))
}

func (a *API) restartApp(ctx context.Context, in *restartApp) (*reply[wire.Accepted], error) {
	app, err := a.app(ctx, in.AppPath)
	if err != nil {
		return nil, err
	}
	return accepted(a.pace.Restart(ctx, app, in.Body.Instance, userOf(ctx).Name))
}

func (a *API) stopApp(ctx context.Context, in *AppPath) (*reply[wire.Accepted], error) {
	app, err := a.app(ctx, *in)
	if err != nil {
		return nil, err
	}
	return accepted(a.pace.StopApp(ctx, app, userOf(ctx).Name))
}
