package api

import (
	"context"

	"aorta/pacemaker/following"
	"aorta/web/access"
	"aorta/web/auth"
	"aorta/web/rest"
	"aorta/web/wire"
)

// openShown is how many open jobs the status names.
const openShown = 20

func (a *API) statusRoutes(h *rest.API) {
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/whoami", Summary: "Show who the token belongs to", Role: access.Viewer, Subject: access.OnSelf}, a.whoami)
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/status", Summary: "Show the cluster at a glance", Role: access.Viewer, Subject: access.OnCluster}, a.status)
}

func (a *API) whoami(ctx context.Context, _ *struct{}) (*rest.Reply[wire.Whoami], error) {
	u := auth.User(ctx)
	return rest.OK(wire.Whoami{User: u.Name, Role: string(u.Role), Cluster: string(a.pace.Cluster()), Version: a.Version}, nil)
}

func (a *API) status(ctx context.Context, _ *struct{}) (*rest.Reply[wire.Status], error) {
	s, err := a.pace.Overview.Status(ctx)
	if err != nil {
		return nil, err
	}
	w := wire.Status{
		Cluster: string(a.pace.Cluster()), State: "ok", Severity: string(s.Severity), Reasons: s.Reasons, Critical: s.Critical, Notes: s.Notes, Version: a.Version, Epoch: a.pace.Epoch(),
		Generation: s.Generation, Nodes: s.Nodes, NodesReady: s.NodesReady, NodesText: s.NodesText, Apps: s.Apps, Instances: s.Instances, OpenJobsCount: len(s.Open),
	}
	if len(s.Reasons) > 0 {
		w.State = "attention"
	}
	w.OpenJobs, err = a.view.Roots(ctx, following.Foremost(s.Open, openShown))
	return rest.OK(w, err)
}
