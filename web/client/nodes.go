package client

import (
	"context"
	"net/http"

	"aorta/web/wire"
)

// Nodes are the cluster's machines.
func (c *Client) Nodes(ctx context.Context) ([]wire.Node, error) {
	return Collect(items[wire.Node](ctx, c, nil, "nodes"), 0)
}

// ClusterNode is one machine by its name or id.
func (c *Client) ClusterNode(ctx context.Context, name string) (wire.Node, error) {
	return get[wire.Node](ctx, c, nil, "nodes", name)
}

// NodeInstances lists what is on a node, and what becomes of it.
func (c *Client) NodeInstances(ctx context.Context, node string) ([]wire.NodeInstance, error) {
	page, err := get[wire.Page[wire.NodeInstance]](ctx, c, nil, "nodes", node, "instances")
	return page.Items, err
}

// TagNode changes the tags that are set on a node; an empty value takes one away.
func (c *Client) TagNode(ctx context.Context, node string, tags map[string]string) (wire.Node, error) {
	return write[wire.Node](ctx, c, input{method: http.MethodPatch, body: wire.NodeTags{Tags: tags}}, "nodes", node, "tags")
}

// DrainNode has what runs on a node moved to others.
func (c *Client) DrainNode(ctx context.Context, node string) (wire.Accepted, error) {
	return write[wire.Accepted](ctx, c, input{}, "nodes", node, "drain")
}

// UndrainNode lets a node have instances again.
func (c *Client) UndrainNode(ctx context.Context, node string) (wire.Node, error) {
	return write[wire.Node](ctx, c, input{}, "nodes", node, "undrain")
}

// DeclareDead has a silent node count as lost at once.
func (c *Client) DeclareDead(ctx context.Context, node string) (wire.Node, error) {
	return write[wire.Node](ctx, c, input{}, "nodes", node, "declare-dead")
}

// RemoveNode takes a node out of the cluster.
func (c *Client) RemoveNode(ctx context.Context, node string) (wire.NodeRemoved, error) {
	return write[wire.NodeRemoved](ctx, c, input{method: http.MethodDelete}, "nodes", node)
}

// CreateJoinToken makes a token that nodes join with; it is shown this once.
func (c *Client) CreateJoinToken(ctx context.Context, t wire.NewJoinToken) (wire.JoinTokenCreated, error) {
	return write[wire.JoinTokenCreated](ctx, c, input{body: t}, "node-tokens")
}

// JoinTokens lists the join tokens that can be used.
func (c *Client) JoinTokens(ctx context.Context) ([]wire.JoinToken, error) {
	page, err := get[wire.Page[wire.JoinToken]](ctx, c, nil, "node-tokens")
	return page.Items, err
}

// RevokeJoinToken ends a join token.
func (c *Client) RevokeJoinToken(ctx context.Context, id string) error {
	_, err := write[nothing](ctx, c, input{method: http.MethodDelete}, "node-tokens", id)
	return err
}

// Status is the cluster at a glance.
func (c *Client) Status(ctx context.Context) (wire.Status, error) {
	return get[wire.Status](ctx, c, nil, "status")
}
