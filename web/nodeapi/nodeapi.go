package nodeapi

import (
	"context"
	"io"
	"net/http"
	"net/netip"

	"github.com/danielgtaylor/huma/v2"

	"aorta/pacemaker/cluster"
	"aorta/web/access"
	"aorta/web/nodewire"
	"aorta/web/rest"
)

// NodePath is the path of an operation of one node, which is the caller.
type NodePath struct {
	NodeID string `path:"id" maxLength:"40"`
	node   cluster.Node
}

// maxReport is room for the two thousand instances or images that a node may have, with
// what failed of them.
const maxReport = 2 << 20

// Bind is part of access.Bound.
func (p *NodePath) Bind(s access.Subject) { p.node = s.Node }

// Node is the caller.
func (p *NodePath) Node() cluster.Node { return p.node }

type nodeHello struct {
	NodePath
	Body nodewire.Hello
}

type nodeShow struct {
	NodePath
	from netip.Addr
}

// Resolve takes the one thing that the node does not say itself.
func (in *nodeShow) Resolve(ctx huma.Context) []error {
	in.from = origin(ctx)
	return nil
}

type nodeReport struct {
	NodePath
	Body nodewire.Report
}

type nodeLogs struct {
	NodePath
	Body nodewire.Output
}

type nodeImages struct {
	NodePath
	Body []nodewire.EngineImage `maxItems:"2000"`
}

type nodeInstance struct {
	NodePath
	Instance string `path:"instance" maxLength:"40"`
}

type nodePort struct {
	NodePath
	Instance string `path:"instance" maxLength:"40"`
	Body     nodewire.PortRefused
}

// NodeBuild is an operation on one build.
type NodeBuild struct {
	NodePath
	Build string `path:"build" maxLength:"40"`
}

type nodeBuildDone struct {
	NodeBuild
	Body nodewire.BuildResult
}

type routerReport struct {
	NodePath
	Body nodewire.RouterReport
}

func (a *API) routes(h *rest.API) {
	const at = "/nodes/{id}"
	rest.Register(h, rest.Route{Method: rest.Post, Path: "/join", Summary: "Become a node", Role: access.Anyone, Subject: access.OnSelf}, a.join)
	rest.Register(h, rest.Route{Method: rest.Post, Path: renewPath, Summary: "Renew the node's certificate", Role: access.Node, Subject: access.OnNode}, a.renew)
	rest.Register(h, rest.Route{Method: rest.Post, Path: at + "/hello", Summary: "Open a session", Role: access.Node, Subject: access.OnNode}, a.hello)
	rest.Register(h, rest.Route{Method: rest.Post, Path: showPath, Summary: "Show that the node is where the connection comes from", Role: access.Node, Subject: access.OnNode, Status: http.StatusNoContent}, a.show)
	rest.Register(h, rest.Route{Method: rest.Post, Path: at + "/report", Summary: "Report", Role: access.Node, Subject: access.OnNode, MaxBody: maxReport}, a.report)
	rest.Register(h, rest.Route{Method: rest.Post, Path: at + "/output", Summary: "Ship instances' output", Role: access.Node, Subject: access.OnNode, Bulk: true}, a.shipLogs)
	rest.Register(h, rest.Route{Method: rest.Post, Path: at + "/router", Summary: "Report as a router", Role: access.Node, Subject: access.OnNode, Status: http.StatusNoContent, MaxBody: maxReport}, a.routerReport)
	rest.Register(h, rest.Route{Method: rest.Post, Path: at + "/images", Summary: "Report the engine's images, and hear what becomes of each", Role: access.Node, Subject: access.OnNode, MaxBody: maxReport}, a.images)
	rest.Register(h, rest.Route{Method: rest.Get, Path: at + "/instances/{instance}/spec", Summary: "Fetch what an instance needs", Role: access.Node, Subject: access.OnNode}, a.instanceSpec)
	rest.Register(h, rest.Route{Method: rest.Post, Path: at + "/instances/{instance}/port", Summary: "Get another port for an instance", Role: access.Node, Subject: access.OnNode}, a.otherPort)
	rest.Register(h, rest.Route{Method: rest.Get, Path: at + "/builds/{build}", Summary: "Fetch a build", Role: access.Node, Subject: access.OnNode}, a.buildSpec)
	rest.Register(h, rest.Route{Method: rest.Get, Path: at + "/builds/{build}/source", Summary: "Fetch a build's source as a tar", Role: access.Node, Subject: access.OnNode}, a.buildSource)
	rest.Register(h, rest.Route{Method: rest.Put, Path: at + "/builds/{build}", Summary: "End a build", Role: access.Node, Subject: access.OnNode, Status: http.StatusNoContent}, a.buildDone)
}

// answer sends a value in its shape.
func answer[D, W any](shape func(D) W) func(D, error) (*rest.Reply[W], error) {
	return func(v D, err error) (*rest.Reply[W], error) { return rest.OK(shape(v), err) }
}

func (a *API) hello(ctx context.Context, in *nodeHello) (*rest.Reply[nodewire.Welcome], error) {
	node := in.Node()
	if err := a.pace.Nodes.Hello(ctx, node, in.Body.Domain()); err != nil {
		return nil, err
	}
	w, err := a.Welcome(node)
	w.Lease = a.pace.Nodes.Lease(node.ID, in.Body.Session)
	return answer(nodewire.FromWelcome)(w, err)
}

// showPath is where a node shows an address: one of many that its machine may have, so
// that it is not where the node is said to connect from.
const showPath = "/nodes/{id}/address"

func (a *API) show(ctx context.Context, in *nodeShow) (*rest.None, error) {
	return nil, a.pace.Nodes.Shows(ctx, in.Node(), in.from)
}

func (a *API) report(ctx context.Context, in *nodeReport) (*rest.Reply[nodewire.ReportAnswer], error) {
	return answer(nodewire.FromReportAnswer)(a.pace.Nodes.Report(ctx, in.Node(), in.Body.Domain()))
}

func (a *API) shipLogs(ctx context.Context, in *nodeLogs) (*rest.Reply[nodewire.LogPositions], error) {
	sent, err := nodewire.DomainLogParts(in.Body)
	if err != nil {
		return nil, err
	}
	own, err := a.pace.Nodes.OwnParts(ctx, in.Node(), sent)
	if err != nil {
		return nil, err
	}
	return answer(nodewire.FromLogPositions)(a.Logs.Append(ctx, own))
}

func (a *API) routerReport(ctx context.Context, in *routerReport) (*rest.None, error) {
	return nil, a.pace.Routers.Reported(in.Node(), in.Body.Domain())
}

func (a *API) images(ctx context.Context, in *nodeImages) (*rest.Reply[nodewire.ImageFates], error) {
	return answer(nodewire.FromImageFates)(a.pace.Images.Reported(ctx, in.Node().ID, nodewire.DomainEngineImages(in.Body)))
}

func (a *API) instanceSpec(ctx context.Context, in *nodeInstance) (*rest.Reply[nodewire.InstanceSpec], error) {
	return answer(nodewire.FromInstanceSpec)(a.pace.Nodes.InstanceSpec(ctx, in.Node(), cluster.ID(in.Instance)))
}

func (a *API) otherPort(ctx context.Context, in *nodePort) (*rest.Reply[nodewire.InstanceSpec], error) {
	node, id := in.Node(), cluster.ID(in.Instance)
	if err := a.pace.Nodes.PortRefused(ctx, node, id, in.Body.Refused); err != nil {
		return nil, err
	}
	return answer(nodewire.FromInstanceSpec)(a.pace.Nodes.InstanceSpec(ctx, node, id))
}

func (a *API) buildSpec(ctx context.Context, in *NodeBuild) (*rest.Reply[nodewire.BuildSpec], error) {
	if err := builds(in.Node()); err != nil {
		return nil, err
	}
	spec, err := a.pace.Sources.BuildSpec(ctx, cluster.ID(in.Build))
	if err == nil {
		err = a.pace.Images.Take(ctx, in.Node(), &spec)
	}
	return answer(nodewire.FromBuildSpec)(spec, err)
}

// builds lets only builders see sources.
func builds(n cluster.Node) error {
	if !n.Has(cluster.RoleBuilder) {
		return cluster.Forbidden("node %q is no builder", n.Name)
	}
	return nil
}

func (a *API) buildSource(ctx context.Context, in *NodeBuild) (*huma.StreamResponse, error) {
	if err := builds(in.Node()); err != nil {
		return nil, err
	}
	source, err := a.pace.Sources.BuildSource(ctx, cluster.ID(in.Build))
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

func (a *API) buildDone(ctx context.Context, in *nodeBuildDone) (*rest.None, error) {
	if err := builds(in.Node()); err != nil {
		return nil, err
	}
	id, result := cluster.ID(in.Build), in.Body.Domain()
	if err := a.pace.Sources.BuildDone(ctx, id, result); err != nil {
		return nil, err
	}
	a.pace.Images.Done(in.Node(), id, result)
	return nil, nil
}
