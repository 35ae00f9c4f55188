package api

import (
	"context"
	"net/http"

	"aorta/pacemaker/cluster"
	"aorta/web/access"
	"aorta/web/auth"
	"aorta/web/rest"
	"aorta/web/wire"
)

type listNodes struct{ rest.Paged }

type newNode struct{ Body wire.NewNode }

func (a *API) nodeRoutes(h *rest.API) {
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/nodes", Summary: "List nodes", Role: access.Viewer, Subject: access.OnCluster}, a.listNodes)
	rest.Register(h, rest.Route{Method: rest.Post, Path: "/nodes", Summary: "Make a node's identity and token", Role: access.Admin, Subject: access.OnCluster, Status: http.StatusCreated}, a.createNode)
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/nodes/{node}", Summary: "Show a node", Role: access.Viewer, Subject: access.OnNode}, a.showNode)
}

func (a *API) listNodes(ctx context.Context, in *listNodes) (*rest.Reply[wire.Page[wire.Node]], error) {
	if err := in.Check(cluster.ValidateNodeName); err != nil {
		return nil, err
	}
	nodes, err := a.pace.Overview.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	items := make([]wire.Node, len(nodes))
	for i, n := range nodes {
		items[i] = a.view.Node(n)
	}
	return rest.OK(rest.Window(in.Paged, items, func(n wire.Node) string { return n.Name }), nil)
}

func (a *API) showNode(ctx context.Context, in *access.NodePath) (*rest.Reply[wire.Node], error) {
	node, err := a.pace.Overview.Node(ctx, in.Node())
	return rest.OK(a.view.Node(node), err)
}

func (a *API) createNode(ctx context.Context, in *newNode) (*rest.Reply[wire.NodeCreated], error) {
	roles, err := cluster.ParseRoles("roles", in.Body.Roles)
	if err != nil {
		return nil, err
	}
	node, token, err := a.pace.Nodes.Create(ctx, in.Body.Name, roles, auth.User(ctx).Name)
	return rest.OK(wire.NodeCreated{ID: string(node.ID), Name: node.Name, Token: token}, err)
}
