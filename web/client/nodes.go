package client

import (
	"context"

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

// CreateNode makes a node's identity; its token is shown this once.
func (c *Client) CreateNode(ctx context.Context, n wire.NewNode) (wire.NodeCreated, error) {
	return write[wire.NodeCreated](ctx, c, input{body: n}, "nodes")
}

// Status is the cluster at a glance.
func (c *Client) Status(ctx context.Context) (wire.Status, error) {
	return get[wire.Status](ctx, c, nil, "status")
}
