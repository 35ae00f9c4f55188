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

type changeFormation struct {
	access.AppPath
	Body wire.FormationChange
}

type listInstances struct {
	access.AppPath
	rest.Paged
}

type restartApp struct {
	access.AppPath
	Body wire.Restart
}

func (a *API) processRoutes(h *rest.API) {
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/apps/{app}/instances", Summary: "List instances", Role: access.Viewer, Subject: access.OnApp}, a.listInstances)
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/apps/{app}/formation", Summary: "Show process types", Role: access.Viewer, Subject: access.OnApp}, a.showFormation)
	rest.Register(h, rest.Route{Method: rest.Patch, Path: "/apps/{app}/formation", Summary: "Scale process types, change their limits and the tags of their nodes", Role: access.Developer, Subject: access.OnApp, Status: http.StatusAccepted}, a.changeFormation)
	rest.Register(h, rest.Route{Method: rest.Post, Path: "/apps/{app}/formation/plan", Summary: "Show what a change of process types would do", Role: access.Developer, Subject: access.OnApp}, a.planFormation)
	rest.Register(h, rest.Route{Method: rest.Post, Path: "/apps/{app}/restart", Summary: "Replace instances by new ones", Role: access.Developer, Subject: access.OnApp, Status: http.StatusAccepted}, a.restartApp)
	rest.Register(h, rest.Route{Method: rest.Post, Path: "/apps/{app}/stop", Summary: "Stop the whole app", Role: access.Developer, Subject: access.OnApp, Status: http.StatusAccepted}, a.stopApp)
}

func (a *API) listInstances(ctx context.Context, in *listInstances) (*rest.Reply[wire.Page[wire.Instance]], error) {
	app := in.App()
	if err := in.Check(rest.CheckID); err != nil {
		return nil, err
	}
	views, err := a.pace.Overview.Instances(ctx, app)
	if err != nil {
		return nil, err
	}
	items := make([]wire.Instance, len(views))
	for i, v := range views {
		items[i] = view.Instance(app, v)
	}
	return rest.OK(rest.Window(in.Paged, items, func(i wire.Instance) string { return i.ID }), nil)
}

func (a *API) showFormation(ctx context.Context, in *access.AppPath) (*rest.Reply[wire.Formation], error) {
	return rest.OK(a.view.Formation(ctx, in.App()))
}

func (a *API) changeFormation(ctx context.Context, in *changeFormation) (*rest.Reply[wire.Accepted], error) {
	changes, err := processChanges(in.Body)
	if err != nil {
		return nil, err
	}
	return rest.Accepted(a.pace.ChangeFormation(ctx, in.App(), changes, auth.User(ctx).Name))
}

func (a *API) planFormation(ctx context.Context, in *changeFormation) (*rest.Reply[wire.Plan], error) {
	changes, err := processChanges(in.Body)
	if err != nil {
		return nil, err
	}
	preview, err := a.pace.PreviewFormation(ctx, in.App(), changes)
	return rest.OK(view.Plan(preview), err)
}

func processChanges(asked wire.FormationChange) (map[string]pacemaker.ProcessChange, error) {
	changes := make(map[string]pacemaker.ProcessChange, len(asked.Types))
	for typ, c := range asked.Types {
		change, err := processChange("types."+typ, c)
		if err != nil {
			return nil, err
		}
		changes[typ] = change
	}
	return changes, nil
}

func processChange(field string, c wire.ProcessChange) (change pacemaker.ProcessChange, err error) {
	change = pacemaker.ProcessChange{Quantity: c.Quantity, More: c.More}
	if c.Memory != nil {
		if *c.Memory < cluster.MinMemory {
			return change, cluster.Invalid(field+".memory", "%d bytes is less than %s", *c.Memory, cluster.Bytes(cluster.MinMemory))
		}
		change.Limits.Memory = *c.Memory
	}
	if c.CPUs != nil {
		if *c.CPUs < cluster.MinCPUs {
			return change, cluster.Invalid(field+".cpus", "%v is less than %v", *c.CPUs, cluster.MinCPUs)
		}
		change.Limits.CPUs = *c.CPUs
	}
	if change.Tags.Require, err = cluster.ParseTags(field+".require", c.Require); err != nil {
		return change, err
	}
	if change.Tags.Prefer, err = cluster.ParseTags(field+".prefer", c.Prefer); err != nil {
		return change, err
	}
	change.Reset, err = resetOf(field, c.Reset)
	return change, err
}

func resetOf(field string, names []string) (reset pacemaker.ProcessSet, err error) {
	parts := map[string]*bool{"quantity": &reset.Quantity, "memory": &reset.Memory, "cpus": &reset.CPUs, "require": &reset.Require, "prefer": &reset.Prefer}
	for _, name := range names {
		part := parts[name]
		if part == nil {
			return reset, cluster.Invalid(field+".reset", "%.20q is not one of quantity, memory, cpus, require and prefer", name)
		}
		*part = true
	}
	return reset, nil
}

func (a *API) restartApp(ctx context.Context, in *restartApp) (*rest.Reply[wire.Accepted], error) {
	return rest.Accepted(a.pace.Restart(ctx, in.App(), in.Body.Instance, auth.User(ctx).Name))
}

func (a *API) stopApp(ctx context.Context, in *access.AppPath) (*rest.Reply[wire.Accepted], error) {
	return rest.Accepted(a.pace.StopApp(ctx, in.App(), auth.User(ctx).Name))
}
