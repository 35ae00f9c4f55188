package api

import (
	"context"
	"net/http"
	"time"

	"aorta/internal/duration"
	"aorta/pacemaker/cluster"
	"aorta/web/access"
	"aorta/web/auth"
	"aorta/web/rest"
	"aorta/web/view"
	"aorta/web/wire"
)

type listNodes struct{ rest.Paged }

type tagNode struct {
	access.NodePath
	Body wire.NodeTags
}

func (a *API) nodeRoutes(h *rest.API) {
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/nodes", Summary: "List nodes", Role: access.Viewer, Subject: access.OnCluster}, a.listNodes)
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/nodes/{node}", Summary: "Show a node", Role: access.Viewer, Subject: access.OnNode}, a.showNode)
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/nodes/{node}/instances", Summary: "List what is on a node, and what becomes of it", Role: access.Viewer, Subject: access.OnNode}, a.listResidents)
	rest.Register(h, rest.Route{Method: rest.Patch, Path: "/nodes/{node}/tags", Summary: "Set tags on a node", Role: access.Admin, Subject: access.OnNode}, a.tagNode)
	rest.Register(h, rest.Route{Method: rest.Post, Path: "/nodes/{node}/drain", Summary: "Move what runs on a node to others, and start nothing there any more", Role: access.Admin, Subject: access.OnNode, Status: http.StatusAccepted}, a.drainNode)
	rest.Register(h, rest.Route{Method: rest.Post, Path: "/nodes/{node}/undrain", Summary: "Start instances on a node again", Role: access.Admin, Subject: access.OnNode}, a.undrainNode)
	rest.Register(h, rest.Route{Method: rest.Post, Path: "/nodes/{node}/declare-dead", Summary: "Have a silent node count as lost at once: what ran there starts elsewhere", Role: access.Admin, Subject: access.OnNode}, a.declareDead)
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/nodes/{node}/drain/plan", Summary: "Show where a node's instances would go", Role: access.Viewer, Subject: access.OnNode}, a.planDrain)
	rest.Register(h, rest.Route{Method: rest.Delete, Path: "/nodes/{node}", Summary: "Remove a node from the cluster", Role: access.Admin, Subject: access.OnNode}, a.removeNode)
	a.joinTokenRoutes(h)
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

func (a *API) listResidents(ctx context.Context, in *access.NodePath) (*rest.Reply[wire.Page[wire.NodeInstance]], error) {
	list, err := a.pace.Overview.ResidentsOf(ctx, in.Node())
	return rest.OK(wire.Page[wire.NodeInstance]{Items: view.Residents(list)}, err)
}

func (a *API) tagNode(ctx context.Context, in *tagNode) (*rest.Reply[wire.Node], error) {
	changed, err := a.pace.TagNode(ctx, in.Node(), in.Body.Tags, auth.User(ctx).Name)
	if err != nil {
		return nil, err
	}
	node, err := a.pace.Overview.Node(ctx, changed)
	return rest.OK(a.view.Node(node), err)
}

func (a *API) declareDead(ctx context.Context, in *access.NodePath) (*rest.Reply[wire.Node], error) {
	if err := a.pace.Nodes.DeclareDead(ctx, in.Node(), auth.User(ctx).Name); err != nil {
		return nil, err
	}
	return a.nodeNow(ctx, in.Node().ID)
}

func (a *API) drainNode(ctx context.Context, in *access.NodePath) (*rest.Reply[wire.Accepted], error) {
	return rest.Accepted(a.pace.DrainNode(ctx, in.Node(), auth.User(ctx).Name))
}

func (a *API) undrainNode(ctx context.Context, in *access.NodePath) (*rest.Reply[wire.Node], error) {
	if err := a.pace.UndrainNode(ctx, in.Node(), auth.User(ctx).Name); err != nil {
		return nil, err
	}
	return a.nodeNow(ctx, in.Node().ID)
}

// nodeNow is a node as it is after a change.
func (a *API) nodeNow(ctx context.Context, id cluster.ID) (*rest.Reply[wire.Node], error) {
	changed, err := a.store.Node(ctx, id)
	if err != nil {
		return nil, err
	}
	node, err := a.pace.Overview.Node(ctx, changed)
	return rest.OK(a.view.Node(node), err)
}

func (a *API) planDrain(ctx context.Context, in *access.NodePath) (*rest.Reply[wire.Plan], error) {
	preview, err := a.pace.PreviewDrain(ctx, in.Node())
	return rest.OK(view.Plan(preview), err)
}

func (a *API) removeNode(ctx context.Context, in *access.NodePath) (*rest.Reply[wire.NodeRemoved], error) {
	node := in.Node()
	left, err := a.pace.Members.Remove(ctx, node, auth.User(ctx).Name)
	gone := wire.NodeRemoved{Name: node.Name, Address: node.Address, Instances: make([]string, len(left))}
	for i, in := range left {
		gone.Instances[i] = string(in.ID)
	}
	return rest.OK(gone, err)
}

type newJoinToken struct{ Body wire.NewJoinToken }

type joinTokenPath struct {
	Token string `path:"token" maxLength:"64" doc:"the join token's id"`
}

func (a *API) joinTokenRoutes(h *rest.API) {
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/node-tokens", Summary: "List join tokens that can be used", Role: access.Admin, Subject: access.OnCluster}, a.listJoinTokens)
	rest.Register(h, rest.Route{Method: rest.Post, Path: "/node-tokens", Summary: "Make a token that nodes join with", Role: access.Admin, Subject: access.OnCluster, Status: http.StatusCreated}, a.createJoinToken)
	rest.Register(h, rest.Route{Method: rest.Delete, Path: "/node-tokens/{token}", Summary: "Revoke a join token", Role: access.Admin, Subject: access.OnCluster, Status: http.StatusNoContent}, a.revokeJoinToken)
}

func (a *API) listJoinTokens(ctx context.Context, _ *struct{}) (*rest.Reply[wire.Page[wire.JoinToken]], error) {
	list, err := a.store.JoinTokens(ctx)
	items := make([]wire.JoinToken, len(list))
	for i, t := range list {
		items[i] = joinToken(t)
	}
	return rest.OK(wire.Page[wire.JoinToken]{Items: items}, err)
}

func (a *API) createJoinToken(ctx context.Context, in *newJoinToken) (*rest.Reply[wire.JoinTokenCreated], error) {
	want := cluster.JoinToken{Name: in.Body.Name, Tags: in.Body.Tags, Uses: in.Body.Uses}
	if len(in.Body.Roles) > 0 {
		roles, err := cluster.ParseRoles("roles", in.Body.Roles)
		if err != nil {
			return nil, err
		}
		want.Roles = roles
	}
	var life time.Duration
	if in.Body.Expires != "" {
		var err error
		if life, err = duration.Parse(in.Body.Expires); err != nil || life <= 0 {
			return nil, cluster.Invalid("expires", "%.40q is no duration (such as 1h, 30m, 7d)", in.Body.Expires)
		}
	}
	token, text, err := a.pace.Members.CreateToken(ctx, want, life, auth.User(ctx).Name)
	if err != nil {
		return nil, err
	}
	at, reachable := a.pace.Members.JoinAddress()
	return rest.OK(wire.JoinTokenCreated{JoinToken: joinToken(token), Token: text, Command: "aortad join " + at + " --token", Reachable: reachable}, nil)
}

func (a *API) revokeJoinToken(ctx context.Context, in *joinTokenPath) (*rest.None, error) {
	return nil, a.store.RevokeJoinToken(ctx, in.Token, auth.User(ctx).Name)
}

func joinToken(t cluster.JoinToken) wire.JoinToken {
	w := wire.JoinToken{
		ID: string(t.ID), Name: t.Name, Roles: []string{}, Tags: t.Tags, Uses: t.Uses, Used: t.Used,
		CreatedBy: t.CreatedBy, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt,
	}
	for _, r := range t.Roles {
		w.Roles = append(w.Roles, string(r))
	}
	if w.Tags == nil {
		w.Tags = map[string]string{}
	}
	return w
}
