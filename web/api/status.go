package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"aorta/web/wire"
)

func (a *API) statusRoutes(h huma.API) {
	register(h, a, route{method: get, path: "/whoami", summary: "Show who the token belongs to", policy: viewers}, a.whoami)
	register(h, a, route{method: get, path: "/status", summary: "Show the cluster at a glance", policy: viewers}, a.status)
}

func (a *API) whoami(ctx context.Context, _ *struct{}) (*reply[wire.Whoami], error) {
	u := userOf(ctx)
	return ok(wire.Whoami{User: u.Name, Role: u.Role, Cluster: string(a.pace.Cluster()), Version: a.Version}, nil)
}

func (a *API) status(ctx context.Context, _ *struct{}) (*reply[wire.Status], error) {
	s, err := a.pace.Status(ctx)
	if err != nil {
		return nil, err
	}
	w := wire.Status{
		Cluster: string(a.pace.Cluster()), State: "ok", Reasons: s.Reasons, Version: a.Version, Epoch: a.pace.Epoch(),
		Generation: s.Generation, Nodes: s.Nodes, NodesReady: s.NodesReady, Apps: s.Apps, Instances: s.Instances,
	}
	if len(s.Reasons) > 0 {
		w.State = "attention"
	}
	w.OpenJobs, err = a.rootsWire(ctx, s.Open)
	return ok(w, err)
}
