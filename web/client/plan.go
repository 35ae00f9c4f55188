package client

import (
	"context"
	"net/http"

	"aorta/web/wire"
)

// PlanFormation is what ChangeFormation would do.
func (c *Client) PlanFormation(ctx context.Context, app string, change wire.FormationChange) (wire.Plan, error) {
	return write[wire.Plan](ctx, c, input{method: http.MethodPost, body: change}, "apps", app, "formation", "plan")
}

// PlanDrain is where the instances of a node would go.
func (c *Client) PlanDrain(ctx context.Context, node string) (wire.Plan, error) {
	return get[wire.Plan](ctx, c, nil, "nodes", node, "drain", "plan")
}
