package live

import (
	"context"
	"slices"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/overview"
	"aorta/web/live/hub"
	"aorta/web/view"
	"aorta/web/wire"
)

// nodePage is all about one node.
func (c *computation) nodePage(ctx context.Context, name string) (hub.State, error) {
	g, err := c.seen(ctx)
	if err != nil {
		return hub.State{}, err
	}
	at := slices.IndexFunc(g.Nodes, func(n overview.Node) bool { return n.Name == name })
	if at < 0 {
		return hub.State{Event: "gone", Value: wire.LiveGone{Node: name}}, nil
	}
	node := g.Nodes[at]
	residents, err := c.pace.Overview.Residents(ctx, *g, node)
	if err != nil {
		return hub.State{}, err
	}
	page := wire.LiveNodePage{
		LiveNode: liveNode(node), NodeDetails: c.view.NodeDetails(node),
		Attention: c.attentionOn(ctx, *g, node), Drain: drainOf(node, g.Open), Residents: view.Residents(residents),
	}
	return hub.State{Event: "node", Value: page}, nil
}

// attentionOn is what is wrong with a node, or with so many that it is told of all.
func (c *computation) attentionOn(ctx context.Context, g overview.Snapshot, node overview.Node) []wire.LiveAttention {
	concerns := g.Concerns()
	since, list := c.times(ctx, concerns), []wire.LiveAttention{}
	for i, concern := range concerns {
		ofMany := concern.Kind == "node" && concern.Node == "" && node.Unheard
		if concern.Node == node.Name || ofMany {
			list = append(list, attentionWire(concern, since[i]))
		}
	}
	return list
}

// drainOf is the operation that empties a node.
func drainOf(node overview.Node, open []cluster.Operation) *wire.LiveRef {
	i := slices.IndexFunc(open, func(op cluster.Operation) bool { return op.Kind == cluster.OpDrain && op.NodeID == node.ID })
	if i < 0 {
		return nil
	}
	return reference(&open[i])
}
