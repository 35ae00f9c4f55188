package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"aorta/pacemaker/cluster"
	"aorta/web/wire"
)

type nodePath struct {
	Node string `path:"node" maxLength:"64"`
}

type listNodes struct{ Paged }

type newNode struct{ Body wire.NewNode }

func (a *API) nodeRoutes(h huma.API) {
	register(h, a, route{method: get, path: "/nodes", summary: "List nodes", policy: viewers}, a.listNodes)
	register(h, a, route{method: post, path: "/nodes", summary: "Make a node's identity and token", policy: admins, status: http.StatusCreated}, a.createNode)
	register(h, a, route{method: get, path: "/nodes/{node}", summary: "Show a node", policy: viewers}, a.showNode)
}

func (a *API) listNodes(ctx context.Context, in *listNodes) (*reply[wire.Page[wire.Node]], error) {
	if err := in.checked(cluster.ValidateNodeName); err != nil {
		return nil, err
	}
	nodes, err := a.store.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	counts, err := a.pace.InstancesByNode(ctx)
	if err != nil {
		return nil, err
	}
	items := make([]wire.Node, len(nodes))
	for i, n := range nodes {
		items[i] = a.nodeWire(n, counts[n.ID])
	}
	return ok(window(in.Paged, items, func(n wire.Node) string { return n.Name }), nil)
}

func (a *API) showNode(ctx context.Context, in *nodePath) (*reply[wire.Node], error) {
	n, err := a.store.NodeByName(ctx, in.Node)
	if err != nil {
		return nil, err
	}
	counts, err := a.pace.InstancesByNode(ctx)
	return ok(a.nodeWire(n, counts[n.ID]), err)
}

func (a *API) nodeWire(n cluster.Node, instances int) wire.Node {
	w := wire.Node{
		ID: string(n.ID), Name: n.Name, Address: n.Address, Roles: []string{}, State: string(n.State),
		Tags: n.Tags, Instances: instances, CreatedAt: n.CreatedAt, Generation: a.pace.RouterGeneration(n.ID),
	}
	for _, r := range n.Roles {
		w.Roles = append(w.Roles, string(r))
	}
	if w.Tags == nil {
		w.Tags = map[string]string{}
	}
	if h, said := a.pace.Heard(n.ID); said {
		ago := h.Ago.Seconds()
		w.Score, w.HeardAgo = &h.Load.Score, &ago
	}
	if a.pace.Unheard(n.ID) {
		w.State = string(cluster.NodeSuspect)
	}
	return w
}

func (a *API) createNode(ctx context.Context, in *newNode) (*reply[wire.NodeCreated], error) {
	roles, err := cluster.ParseRoles("roles", in.Body.Roles)
	if err != nil {
		return nil, err
	}
	node, token, err := a.pace.CreateNode(ctx, in.Body.Name, roles, userOf(ctx).Name)
	return ok(wire.NodeCreated{ID: string(node.ID), Name: node.Name, Token: token}, err)
}
