package api

import (
	"context"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"aorta/pacemaker/cluster"
)

// NodeID is an operation of one node; that it is the caller was checked before.
type NodeID struct {
	ID string `path:"id" maxLength:"40"`
}

type nodeHello struct {
	NodeID
	Body cluster.Hello
}

type nodeReport struct {
	NodeID
	Body cluster.Report
}

type nodeLogs struct {
	NodeID
	Body []cluster.LogLine
}

type nodeInstance struct {
	NodeID
	Instance string `path:"instance" maxLength:"40"`
}

type nodePort struct {
	NodeID
	Instance string `path:"instance" maxLength:"40"`
	Body     struct {
		Refused int `json:"refused" minimum:"1" maximum:"65535"`
	}
}

// NodeBuild is an operation on one build.
type NodeBuild struct {
	NodeID
	Build string `path:"build" maxLength:"40"`
}

type nodeBuildDone struct {
	NodeBuild
	Body cluster.BuildResult
}

type routerReport struct {
	NodeID
	Body cluster.RouterReport
}

func (a *API) nodeAPIRoutes(h huma.API) {
	const at = "/nodes/{id}"
	register(h, a, route{method: post, path: at + "/hello", summary: "Open a session", policy: nodesOnly}, a.hello)
	register(h, a, route{method: post, path: at + "/report", summary: "Report", policy: nodesOnly}, a.report)
	register(h, a, route{method: post, path: at + "/logs", summary: "Ship log lines", policy: nodesOnly, status: http.StatusNoContent}, a.shipLogs)
	register(h, a, route{method: post, path: at + "/router", summary: "Report as a router", policy: nodesOnly, status: http.StatusNoContent}, a.routerReport)
	register(h, a, route{method: get, path: at + "/images", summary: "List the images to keep", policy: nodesOnly}, a.keepImages)
	register(h, a, route{method: get, path: at + "/instances/{instance}/spec", summary: "Fetch what an instance needs", policy: nodesOnly}, a.instanceSpec)
	register(h, a, route{method: post, path: at + "/instances/{instance}/port", summary: "Get another port for an instance", policy: nodesOnly}, a.otherPort)
	register(h, a, route{method: get, path: at + "/builds/{build}", summary: "Fetch a build", policy: nodesOnly}, a.buildSpec)
	register(h, a, route{method: get, path: at + "/builds/{build}/source", summary: "Fetch a build's source as a tar", policy: nodesOnly}, a.buildSource)
	register(h, a, route{method: put, path: at + "/builds/{build}", summary: "End a build", policy: nodesOnly, status: http.StatusNoContent}, a.buildDone)
}

func (a *API) hello(ctx context.Context, in *nodeHello) (*reply[cluster.Welcome], error) {
	node := nodeOf(ctx)
	if err := a.pace.Hello(ctx, node, in.Body); err != nil {
		return nil, err
	}
	return ok(a.Welcome(node))
}

func (a *API) report(ctx context.Context, in *nodeReport) (*reply[cluster.ReportAnswer], error) {
	return ok(a.pace.Report(ctx, nodeOf(ctx), in.Body))
}

func (a *API) shipLogs(ctx context.Context, in *nodeLogs) (*none, error) {
	lines, err := a.pace.OwnLines(ctx, nodeOf(ctx), in.Body)
	if err != nil {
		return nil, err
	}
	return nil, a.Logs.Append(ctx, lines)
}

func (a *API) routerReport(ctx context.Context, in *routerReport) (*none, error) {
	return nil, a.pace.RouterReported(nodeOf(ctx), in.Body)
}

func (a *API) keepImages(ctx context.Context, _ *NodeID) (*reply[cluster.KeepImages], error) {
	return ok(a.pace.KeepImages(ctx))
}

func (a *API) instanceSpec(ctx context.Context, in *nodeInstance) (*reply[cluster.InstanceSpec], error) {
	return ok(a.pace.InstanceSpec(ctx, nodeOf(ctx), cluster.ID(in.Instance)))
}

func (a *API) otherPort(ctx context.Context, in *nodePort) (*reply[cluster.InstanceSpec], error) {
	node, id := nodeOf(ctx), cluster.ID(in.Instance)
	if err := a.pace.PortRefused(ctx, node, id, in.Body.Refused); err != nil {
		return nil, err
	}
	return ok(a.pace.InstanceSpec(ctx, node, id))
}

func (a *API) buildSpec(ctx context.Context, in *NodeBuild) (*reply[cluster.BuildSpec], error) {
	if err := builds(ctx); err != nil {
		return nil, err
	}
	return ok(a.pace.BuildSpec(ctx, cluster.ID(in.Build)))
}

// builds lets only builders see sources.
func builds(ctx context.Context) error {
	if n := nodeOf(ctx); !n.Has(cluster.RoleBuilder) {
		return cluster.Forbidden("node %q is no builder", n.Name)
	}
	return nil
}

func (a *API) buildSource(ctx context.Context, in *NodeBuild) (*huma.StreamResponse, error) {
	if err := builds(ctx); err != nil {
		return nil, err
	}
	source, err := a.pace.BuildSource(ctx, cluster.ID(in.Build))
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer func() { _ = source.Close() }()
		hc.SetHeader("Content-Type", "application/x-tar")
		if _, err := io.Copy(hc.BodyWriter(), source); err != nil {
			a.Log.Warn("a build's source was cut off", "build", in.Build, "err", err)
			panic(http.ErrAbortHandler) // so that the builder does not take a part for the whole
		}
	}}, nil
}

func (a *API) buildDone(ctx context.Context, in *nodeBuildDone) (*none, error) {
	if err := builds(ctx); err != nil {
		return nil, err
	}
	return nil, a.pace.BuildDone(ctx, cluster.ID(in.Build), in.Body)
}
