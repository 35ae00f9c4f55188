package pacemaker

import (
	"context"

	"aorta/pacemaker/cluster"
)

// TagNode changes the tags that are set on a node: an empty value takes one away. What
// requires one that is gone moves to other nodes.
func (p *Pacemaker) TagNode(ctx context.Context, node cluster.Node, tags map[string]string, user string) (cluster.Node, error) {
	changed, err := p.store.SetTags(ctx, node, tags, user)
	if err == nil {
		p.checkAll()
	}
	return changed, err
}
